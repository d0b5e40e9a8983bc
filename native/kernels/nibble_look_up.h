// The inner loop for instruction sets that cannot count bits: it looks the answer up for four channels of input at a time.
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/intrinsics.h"
#include "kernels/kernels.h"

namespace mbnn {
namespace {

constexpr int kNibbles = 8;  // of a word

// tables.of[a][w] is the number of bits in which two nibbles a and w differ, twice: PSHUFB looks up in 16-byte halves.
struct Tables {
  alignas(32) uint8_t of[16][32];
};

constexpr Tables make_tables() {
  Tables tables{};
  for (int a = 0; a < 16; ++a) {
    for (int w = 0; w < 32; ++w) {
      const int x = a ^ (w & 15);
      tables.of[a][w] = static_cast<uint8_t>((x & 1) + (x >> 1 & 1) + (x >> 2 & 1) + (x >> 3 & 1));
    }
  }
  return tables;
}

alignas(64) constexpr Tables kTables = make_tables();

// A nibble of the activation selects a table; a nibble of the filter, one byte per output channel, selects in it. One
// PSHUFB and one PADDB serve a vector of channels times 4 bits, where XOR and a PSHUFB popcount take eight for twice as
// much. S gives Vector, load, zero, add, look_up, and add_twice (bytes to numbers in memory).
template <class S>
struct NibbleLookUp {
  using Vector = typename S::Vector;
  static constexpr int kBlockChannels = sizeof(Vector);
  static constexpr int kBytesPerWord = kNibbles;
  static constexpr int kWordsPerByte = 7;  // a word adds up to 32 to a byte: seven fit

  static void pack_block(const uint32_t* words, uint8_t* packed) {
    for (int nibble = 0; nibble < kNibbles; ++nibble) {
      for (int channel = 0; channel < kBlockChannels; ++channel) {
        *packed++ = static_cast<uint8_t>(words[channel] >> (4 * nibble) & 15);
      }
    }
  }

  // As LanePopcount::count.
  template <int P, int N>
  static void count(const uint32_t* const* taps, int tap_count, int words, int first_word, const uint8_t* filter,
                    int32_t* twice) {
    for (int p = 0; p < P; ++p) memset(twice + p * kMaxTileChannels, 0, N * kBlockChannels * sizeof *twice);
    int word = 0;
    for (int left = tap_count * words; left > 0; left -= kWordsPerByte) {
      Vector sum[P][N];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sum[p][n] = S::zero();
      }
      for (int i = left < kWordsPerByte ? left : kWordsPerByte; i > 0; --i, filter += N * kBlockChannels * kNibbles) {
        uint32_t activation[P];
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) activation[p] = taps[p][first_word + word];
        look_up<P, N>(activation, filter, sum);
        if (++word == words) {
          word = 0;
          taps += P;
        }
      }
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) S::add_twice(sum[p][n], twice + p * kMaxTileChannels + n * kBlockChannels);
      }
    }
  }

 private:
  // Adds one word's differences to bytes.
  template <int P, int N>
  static inline __attribute__((always_inline)) void look_up(const uint32_t (&activation)[P], const uint8_t* filter,
                                                            Vector (&sum)[P][N]) {
#pragma GCC unroll 8
    for (int nibble = 0; nibble < kNibbles; ++nibble) {
      Vector weights[N];
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) weights[n] = S::load(filter + (n * kNibbles + nibble) * kBlockChannels);
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        const Vector table = S::load(kTables.of[activation[p] >> (4 * nibble) & 15]);
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
          sum[p][n] = S::add(sum[p][n], S::look_up(table, weights[n]));
          pin(sum[p][n]);
        }
      }
    }
  }
};

}  // namespace
}  // namespace mbnn
