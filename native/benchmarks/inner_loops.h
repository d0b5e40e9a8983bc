// The best inner loops that we know for each instruction set, alone, on data in the first cache.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct InnerLoop {
  const char* isa;
  const char* name;
  bool (*cpu_has_it)();
  void (*run)();
  double bit_macs;  // of one run
  bool is_peak;     // the loop and the tile of the library's kernels
};

// They all run over this many words of activations, of each pixel: a 3x3 filter of 128 channels, 64 outputs.
constexpr int kLoopWords = 36;

// Data for all of them, aligned: any values do, since none of the instructions cares.
struct alignas(64) LoopData {
  uint32_t activations[8][kLoopWords];
  uint8_t filter[kLoopWords * 64 * 8];
  uint8_t tables[64 * 64];
  int32_t result[8 * 64];
};
extern LoopData loop_data;

// Reads memory with the widest vectors that the CPU has.
using Read = void (*)(const uint8_t* from, size_t bytes);
Read read_with_widest_vectors();
void read_by_zmm(const uint8_t* from, size_t bytes);
void read_by_ymm(const uint8_t* from, size_t bytes);

extern const InnerLoop kAvx2Loops[];
extern const int kAvx2LoopCount;
extern const InnerLoop kAvx512Loops[];
extern const int kAvx512LoopCount;
