// From the counts of a tile to what a binary convolution writes: floats, int8 values or bits.
#pragma once

#include <math.h>
#include <string.h>

#include "kernels/epilogue.h"
#include "kernels/kernels.h"
#include "kernels/vectors.h"

namespace mbnn {
namespace {

// What a tile has: x of [pixel][kMaxTileChannels], and where its values stand in the output and among the parameters.
struct Tile {
  const int32_t* x;
  int64_t first_pixel;  // as a row of the output
  int pixels;
  int first_channel, channels;
  size_t parameters;
};

constexpr int kFloatsOfWord = kWordBits / kLanes;
// Words written together: as many as leave their multipliers and biases in registers.
constexpr int kWordsAtOnce = kLanes == 16 ? 2 : 1;

template <class Simd>
struct Output {
  static void write(const Conv& conv, const Tile& tile) {
    switch (conv.output_type) {
      case ConvOutput::kFloat: return write_floats(conv, tile);
      case ConvOutput::kInt8: return write_int8(conv, tile);
      case ConvOutput::kBits: return write_bits(conv, tile);
    }
  }

 private:
  static float affine(const Conv& conv, int32_t x, float multiplier, float bias) {
    x = x < conv.clamp_max ? x : conv.clamp_max;
    x = x > conv.clamp_min ? x : conv.clamp_min;
    return static_cast<float>(x) * multiplier + bias;
  }

  static void affine(const Conv& conv, const int32_t* x, size_t parameters, float* y) {
    const float* multiplier = conv.multiplier + parameters;
    const float* bias = conv.bias + parameters;
    for (int i = 0; i < kWordBits; ++i) y[i] = affine(conv, x[i], multiplier[i], bias[i]);
  }

  static void write_floats(const Conv& conv, const Tile& tile) {
    const Epilogue& epilogue = conv.epilogue;
    const Step& step = epilogue.steps[0];
    const bool adds = epilogue.count == 1 && step.kind == Step::kAdd && step.rows_per_operand_row == 1;
    const bool simple = epilogue.floats != nullptr && (adds || epilogue.count == 0);
    for (int i = 0; i < tile.channels;) {
      const int left = tile.channels - i;
      const Tile rest = {tile.x + i, tile.first_pixel, tile.pixels, tile.first_channel + i, left, tile.parameters + i};
      if (simple && left >= kWordsAtOnce * kWordBits) {
        adds ? write_words<true, kWordsAtOnce>(conv, rest) : write_words<false, kWordsAtOnce>(conv, rest);
        i += kWordsAtOnce * kWordBits;
        continue;
      }
      if (simple && left >= kWordBits) {
        adds ? write_words<true, 1>(conv, rest) : write_words<false, 1>(conv, rest);
      } else {
        write_any(conv, rest);
      }
      i += kWordBits;
    }
  }

  static void write_any(const Conv& conv, const Tile& word) {
    for (int p = 0; p < word.pixels; ++p) {
      alignas(64) float y[kWordBits];
      affine(conv, word.x + p * kMaxTileChannels, word.parameters, y);
      finish<Simd>(conv.epilogue, word.first_pixel + p, word.first_channel, word.channels, y);
    }
  }

  // What most layers are: 32 or 64 channels of each pixel, plain or with a residual connection, which then take no
  // longer than their loads and stores.
  template <bool kAdds, int kWords>
  static void write_words(const Conv& conv, const Tile& word) {
    const Epilogue& epilogue = conv.epilogue;
    const int64_t channels = epilogue.channels;
    const int64_t words = (channels - 1) / kWordBits + 1;
    const int64_t at = word.first_pixel * channels + word.first_channel;
    const float* operand = kAdds ? epilogue.steps[0].operand + at : nullptr;
    float* out = epilogue.floats + at;
    uint32_t* bits = epilogue.bits;
    if (bits != nullptr) bits += word.first_pixel * words + word.first_channel / kWordBits;
    constexpr int kVectors = kWords * kFloatsOfWord;
    Floats multiplier[kVectors], bias[kVectors];
    for (int i = 0; i < kVectors; ++i) {
      multiplier[i] = load<Floats>(conv.multiplier + word.parameters + i * kLanes);
      bias[i] = load<Floats>(conv.bias + word.parameters + i * kLanes);
    }
    const Integers low = Integers{} + conv.clamp_min, high = Integers{} + conv.clamp_max;
    for (int p = 0; p < word.pixels; ++p, out += channels) {
      const int32_t* x = word.x + p * kMaxTileChannels;
#pragma GCC unroll 8
      for (int i = 0; i < kVectors; ++i) {
        Integers clamped = load<Integers>(x + i * kLanes);
        clamped = clamped < high ? clamped : high;
        clamped = clamped > low ? clamped : low;
        Floats y = __builtin_convertvector(clamped, Floats) * multiplier[i] + bias[i];
        if (kAdds) y = y + load<Floats>(operand + p * channels + i * kLanes);
        store(y, out + i * kLanes);
      }
      if (bits == nullptr) continue;
      for (int i = 0; i < kWords; ++i) bits[p * words + i] = Simd::below_zero(out + i * kWordBits);
    }
  }

  // Nearest, halves away from zero, as LCE rounds: the largest float below 0.5 keeps 0.49999997 from becoming 1.
  static int8_t round_to_int8(float y) {
    y = y < 127.0f ? y : 127.0f;
    y = y > -128.0f ? y : -128.0f;
    return static_cast<int8_t>(static_cast<int32_t>(y + copysignf(0.49999997f, y)));
  }

  static void write_int8(const Conv& conv, const Tile& tile) {
    const int64_t channels = static_cast<int64_t>(conv.groups) * conv.channels;
    int8_t* out = static_cast<int8_t*>(conv.output) + tile.first_pixel * channels + tile.first_channel;
    for (int p = 0; p < tile.pixels; ++p, out += channels) {
      for (int i = 0; i < tile.channels; i += kWordBits) {
        float y[kWordBits];
        int8_t rounded[kWordBits];
        affine(conv, tile.x + p * kMaxTileChannels + i, tile.parameters + i, y);
        for (int j = 0; j < kWordBits; ++j) rounded[j] = round_to_int8(y[j]);
        const int left = tile.channels - i;
        memcpy(out + i, rounded, left < kWordBits ? left : kWordBits);
      }
    }
  }

  static void write_bits(const Conv& conv, const Tile& tile) {
    const int64_t words = (static_cast<int64_t>(conv.groups) * conv.channels - 1) / kWordBits + 1;
    for (int p = 0; p < tile.pixels; ++p) {
      uint32_t* row = static_cast<uint32_t*>(conv.output) + (tile.first_pixel + p) * words;
      for (int i = 0; i < tile.channels; i += kWordBits) {
        const int channel = tile.first_channel + i;
        uint32_t* word = row + channel / kWordBits;
        const uint32_t bits =
            Simd::greater(tile.x + p * kMaxTileChannels + i, conv.threshold + tile.parameters + i);
        const int shift = channel % kWordBits;
        if (!conv.bits_share_words) {
          *word = bits;
          continue;
        }
        *word |= bits << shift;
        // The rest belongs to the next word, which is there if any valid bit is.
        if (shift != 0 && bits >> (kWordBits - shift) != 0) word[1] |= bits >> (kWordBits - shift);
      }
    }
  }
};

}  // namespace
}  // namespace mbnn
