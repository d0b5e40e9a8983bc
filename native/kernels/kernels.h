// What every instruction set offers: one table of functions, each compiled from the same generic source.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mbnn {

// Bits in an int32 word: channel 0 is the lowest bit, 0 stands for +1, 1 for -1, bits past the last channel are 0.
constexpr int kWordBits = 32;

enum class ConvOutput { kFloat, kInt8, kBits };

// One element-wise operation on a row of float channels. IEEE operations one by one: the same bits in every order of
// passes over the data.
struct Step {
  enum Kind { kAdd, kSubtract, kSubtractFrom, kMultiply, kPrelu, kClamp };
  Kind kind;
  // Row r meets the row r / rows_per_operand_row of the operand, of as many channels; 0: all rows meet the only one.
  const float* operand;
  int64_t rows_per_operand_row;
  float low, high;  // of kClamp
};

// What is done to float values while they are at hand, and where they go.
struct Epilogue {
  static constexpr int kMaxSteps = 8;
  Step steps[kMaxSteps];
  int count;
  int channels;
  float* floats;   // [rows][channels], or null
  uint32_t* bits;  // [rows][words], or null: a bit is set for a value below 0
};

// The largest tile of any instruction set: output channels and output pixels computed together.
constexpr int kMaxTileChannels = 64;
constexpr int kMaxTilePixels = 6;

// A binary convolution with everything laid out for the kernel. Channels are those of one group.
struct Conv {
  int64_t pixels;  // of the output, of all images
  int64_t first_row;  // of the output: where pixel 0 goes
  int taps;        // filter height * filter width
  int words;       // input words of one group
  int groups;
  int channels;           // output channels of one group
  int tiles;              // of channels, in one group
  const uint8_t* filter;  // from Kernels::pack_filter

  // [pixel tile][tap][pixel in tile]: where each tap reads its input; `outside` if it lies outside the map.
  const uint32_t* const* taps_of_pixels;
  const uint32_t* outside;
  // Null unless the padding is 0: what an outside tap adds to twice the popcount, [group][tile][tap][tile channel].
  const int32_t* outside_correction;
  // With the former: for each pixel tile, whether any tap lies outside.
  const uint8_t* tile_has_outside;

  ConvOutput output_type;
  void* output;       // int8 or bits
  Epilogue epilogue;  // of floats
  // x = 2 * popcount (+ correction) is clamped, then x * multiplier + bias is the output; [group][tile][tile channel].
  int32_t clamp_min, clamp_max;
  const float* multiplier;
  const float* bias;
  // A bit is set where x > threshold.
  const int32_t* threshold;
  // Bits of several groups share a word: they are or-ed into a zeroed output, all groups by one thread.
  bool bits_share_words;
};

// A row of a pool's output, from windows that move over some rows of the input. Columns may lie outside the map.
template <class Element>
struct PoolRow {
  const Element* in;     // the first of the rows
  int rows;              // at least one
  int64_t row_elements;  // of the input
  int width;             // of the input
  int elements;          // of a pixel
  int64_t start;         // the first window's first column; each window has a column inside
  int window, stride;
  int columns;  // of the output
  Element* out;
};

struct Kernels {
  const char* name;
  bool (*cpu_has_it)();
  int tile_channels;
  int tile_pixels;

  // Bytes of the packed filter of that many tiles.
  size_t (*packed_filter_bytes)(size_t tiles, size_t taps, size_t words);
  // OHWI words of one group to that group's packed filter.
  void (*pack_filter)(const uint32_t* filter, int channels, int taps, int words, uint8_t* packed);
  // Pixel tiles [first_pixel_tile, last_pixel_tile) of the channel tile `tile` of `group`.
  void (*bconv)(const Conv&, int group, int tile, int64_t first_pixel_tile, int64_t last_pixel_tile);

  // Rows [first, last) of float values through the epilogue.
  void (*elementwise)(const Epilogue&, const float* in, int64_t first, int64_t last);

  // Rows of `channels` values to rows of words: a bit is set for a value below 0, below the zero point, for false.
  void (*pack_float)(const float* in, int64_t rows, int channels, uint32_t* out);
  void (*pack_int8)(const int8_t* in, int64_t rows, int channels, int zero_point, uint32_t* out);
  // The reverse: a set bit becomes `one`, the others `zero`.
  void (*unpack_float)(const uint32_t* in, int64_t rows, int channels, uint32_t* out);
  void (*unpack_int8)(const uint32_t* in, int64_t rows, int channels, int8_t zero, int8_t one, int8_t* out);
  // The AND of words of signs, the maximum of floats; of a NaN and a number it is either, as in TFLite's kernels.
  void (*pool_bits)(const PoolRow<uint32_t>&);
  void (*pool_float)(const PoolRow<float>&);
};

// MBNN_SIMDE builds all of them, whatever the machine, in plain C.
#if defined(__x86_64__) || defined(MBNN_SIMDE)
#define MBNN_X86_KERNELS 1
#endif
#if defined(__aarch64__) || defined(MBNN_SIMDE)
#define MBNN_ARM_KERNELS 1
#endif

extern const Kernels kAvx512Kernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kSse4Kernels;
extern const Kernels kNeonDotKernels;
extern const Kernels kNeonKernels;
extern const Kernels kPortableKernels;

// The kernels called `name`, the best that this CPU has if `name` is null; null if there are none of that name.
const Kernels* find_kernels(const char* name);
// All names, for messages; cut off if `size` is too small.
void kernel_names(char* names, size_t size);

}  // namespace mbnn
