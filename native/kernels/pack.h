// Values to sign bits, and bits to values.
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/vectors.h"

namespace mbnn {
namespace {

// Simd gives the masks of 32 values below_zero and below. It may give expand_bytes(word, zero, one, out): 32 bytes that
// are `one` where the word has a bit.
template <class Simd>
struct Pack {
  // -0.0 and NaN are not below 0, so they become +1, as in Keras.
  static void pack_float(const float* in, int64_t rows, int channels, uint32_t* out) {
    pack_rows(in, rows, channels, 0.0f, [](const float* x) { return Simd::below_zero(x); }, out);
  }

  static void pack_int8(const int8_t* in, int64_t rows, int channels, int zero_point, uint32_t* out) {
    const int8_t bound = static_cast<int8_t>(zero_point);
    pack_rows(in, rows, channels, bound, [bound](const int8_t* x) { return Simd::below(x, bound); }, out);
  }

  static void unpack_float(const uint32_t* in, int64_t rows, int channels, uint32_t* out) {
    unpack_rows(in, rows, channels, expand_floats, out);
  }

  static void unpack_int8(const uint32_t* in, int64_t rows, int channels, int8_t zero, int8_t one, int8_t* out) {
    const auto expand = [zero, one](uint32_t word, int8_t* to) { expand_bytes<Simd>(word, zero, one, to, 0); };
    unpack_rows(in, rows, channels, expand, out);
  }

 private:
  // Packs rows with a function from 32 values to a word; what is missing in a row's last word is `filler`.
  template <class T, class ToWord>
  static void pack_rows(const T* in, int64_t rows, int channels, T filler, const ToWord& to_word, uint32_t* out) {
    int64_t whole = channels / kWordBits;
    const int rest = channels % kWordBits;
    if (rest == 0) {  // one long row: two words are too few for a loop
      whole *= rows;
      rows = 1;
    }
    for (int64_t row = 0; row < rows; ++row) {
#pragma GCC unroll 4
      for (int64_t word = 0; word < whole; ++word) out[word] = to_word(in + word * kWordBits);
      in += whole * kWordBits;
      out += whole;
      if (rest == 0) continue;
      T padded[kWordBits];
      for (int i = 0; i < kWordBits; ++i) padded[i] = i < rest ? in[i] : filler;
      *out++ = to_word(padded);
      in += rest;
    }
  }

  // The reverse.
  template <class T, class FromWord>
  static void unpack_rows(const uint32_t* in, int64_t rows, int channels, const FromWord& from_word, T* out) {
    int64_t whole = channels / kWordBits;
    const int rest = channels % kWordBits;
    if (rest == 0) {
      whole *= rows;
      rows = 1;
    }
    for (int64_t row = 0; row < rows; ++row) {
#pragma GCC unroll 2
      for (int64_t word = 0; word < whole; ++word) from_word(in[word], out + word * kWordBits);
      in += whole;
      out += whole * kWordBits;
      if (rest == 0) continue;
      T padded[kWordBits];
      from_word(*in++, padded);
      memcpy(out, padded, rest * sizeof(T));
      out += rest;
    }
  }

  // The bit is the sign of a float whose other bits are those of 1.0.
  static void expand_floats(uint32_t word, uint32_t* out) {
    constexpr int32_t kOne = 0x3f800000;
    Integers bit;
    for (int i = 0; i < kLanes; ++i) bit[i] = 1 << i;
#pragma GCC unroll 8
    for (int i = 0; i < kWordBits; i += kLanes) {
      const Integers found = (static_cast<int32_t>(word >> i) & bit) != 0;
      store(kOne | (found & INT32_MIN), out + i);
    }
  }

  template <class S>
  static auto expand_bytes(uint32_t word, int8_t zero, int8_t one, int8_t* out, int)
      -> decltype(S::expand_bytes(word, zero, one, out)) {
    S::expand_bytes(word, zero, one, out);
  }

  // Eight at a time, in an ordinary register.
  template <class S>
  static void expand_bytes(uint32_t word, int8_t zero, int8_t one, int8_t* out, long) {
    constexpr uint64_t kEach = 0x0101010101010101;
    const uint64_t zeros = kEach * static_cast<uint8_t>(zero);
    const uint64_t changes = kEach * static_cast<uint8_t>(zero ^ one);
#pragma GCC unroll 4
    for (int i = 0; i < kWordBits; i += 8) {
      const uint64_t bits = kEach * (word >> i & 0xff) & 0x8040201008040201;
      const uint64_t found = (bits + 0x7f * kEach) >> 7 & kEach;
      store(zeros ^ (0xff * found & changes), out + i);
    }
  }
};

}  // namespace
}  // namespace mbnn
