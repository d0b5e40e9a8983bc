// The best inner loops that we know for each instruction set, alone, on data in the first cache: what a kernel can reach.
#pragma once

#include <stdint.h>

struct InnerLoop {
  const char* isa;
  const char* name;
  bool (*cpu_has_it)();
  void (*run)();
  double bit_macs;  // of one run
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

extern const InnerLoop kAvx2Loops[];
extern const int kAvx2LoopCount;
extern const InnerLoop kAvx512Loops[];
extern const int kAvx512LoopCount;
