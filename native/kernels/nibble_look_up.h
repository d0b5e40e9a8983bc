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

// A nibble of the activation selects a table; a nibble of the filter, in a byte per output channel, selects in it. One
// PSHUFB and one PADDB serve a vector of channels times 4 bits, where XOR and a PSHUFB popcount take eight for twice as
// much. Filters are kept with two nibbles in a byte; taking them apart is a tenth of the work of a tile, so that a copy
// with one nibble in a byte (kApart) is worth its while where many tiles use it. S gives Vector, load, zero, add,
// look_up, and low_nibbles and high_nibbles of bytes.
template <class S, bool kApart = false>
struct NibbleLookUp {
  using Apart = NibbleLookUp<S, true>;
  using Vector = typename S::Vector;
  static constexpr int kBlockChannels = sizeof(Vector);
  static constexpr int kBytesPerWord = kApart ? kNibbles : kNibbles / 2;
  static constexpr int kWordsPerByte = 7;     // a word adds up to 32 to a byte: seven fit
  static constexpr int kWordsPerHalf = 2044;  // of bytes that are added to 16 bits

  // Bytes are split into even and odd ones, and these again: byte i ends up as the number of this channel.
  static constexpr int channel_of_byte(int i) { return i / 4 + kBlockChannels / 4 * (i % 2 * 2 + i / 2 % 2); }

  static void pack_block(const uint32_t* words, uint8_t* packed) {
    for (int byte = 0; byte < kBytesPerWord; ++byte) {
      for (int i = 0; i < kBlockChannels; ++i) *packed++ = words[channel_of_byte(i)] >> (8 * byte) & 255;
    }
  }

  // Copies packed bytes, a whole number of blocks, to twice as many, for Apart.
  static void take_apart(const uint8_t* packed, size_t bytes, uint8_t* apart) {
    for (size_t i = 0; i < bytes; i += kBlockChannels) {
      const Vector both = S::load(packed + i);
      S::store(S::low_nibbles(both), apart + 2 * i);
      S::store(S::high_nibbles(both), apart + 2 * i + kBlockChannels);
    }
  }

  // As LanePopcount::count.
  template <int P, int N>
  static void count(const uint32_t* const* taps, int tap_count, int words, int first_word, const uint8_t* filter,
                    int32_t* twice) {
    Cursor at = {taps, first_word, first_word, first_word + words, filter};
    const int all = tap_count * words;
    count_words<P, N>(at, all < kWordsPerHalf ? all : kWordsPerHalf, twice);
    for (int done = kWordsPerHalf; done < all; done += kWordsPerHalf) {
      alignas(32) int32_t more[P * kMaxTileChannels];
      count_words<P, N>(at, all - done < kWordsPerHalf ? all - done : kWordsPerHalf, more);
      for (int p = 0; p < P; ++p) {
        const int row = p * kMaxTileChannels;
        for (int i = 0; i < N * kBlockChannels; ++i) twice[row + i] += more[row + i];
      }
    }
  }

 private:
  typedef uint16_t Halves __attribute__((vector_size(kBlockChannels)));
  typedef uint32_t Numbers __attribute__((vector_size(kBlockChannels)));

  // The word that comes next.
  struct Cursor {
    const uint32_t* const* taps;
    int word, first_word, end_word;
    const uint8_t* filter;
  };

  // Counts up to kWordsPerHalf words.
  template <int P, int N>
  static __attribute__((noinline)) void count_words(Cursor& cursor, int words, int32_t* twice) {
    Cursor at = cursor;
    Halves memory[2 * P * N];
    Halves* halves = memory;
    const Vector pinned = pinned_zero();  // else GCC clears by REP STOS, which is slow to start
    Halves zero;
    memcpy(&zero, &pinned, sizeof zero);
    for (int i = 0; i < 2 * P * N; ++i) halves[i] = zero;
    for (;; words -= kWordsPerByte) {
      Vector sum[P][N];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sum[p][n] = pinned_zero();
      }
      for (int i = words < kWordsPerByte ? words : kWordsPerByte; i > 0; --i) {
        uint32_t activation[P];
#pragma GCC unroll 16
        for (int p = 0; p < P; ++p) activation[p] = at.taps[p][at.word];
        look_up<P, N>(activation, at.filter, sum);
        at.filter += N * kBlockChannels * kBytesPerWord;
        if (++at.word == at.end_word) {
          at.word = at.first_word;
          at.taps += P;
        }
      }
      asm volatile("" : "+r"(halves) : : "memory");  // else GCC keeps some of them in registers that the loop needs
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
          Halves bytes;
          memcpy(&bytes, &sum[p][n], sizeof bytes);
          halves[2 * (p * N + n)] += bytes & 255;
          halves[2 * (p * N + n) + 1] += bytes >> 8;
        }
      }
      if (words <= kWordsPerByte) break;
    }
    for (int p = 0; p < P; ++p) {
      for (int n = 0; n < N; ++n, halves += 2) store_twice(halves, twice + p * kMaxTileChannels + n * kBlockChannels);
    }
    cursor = at;
  }

  // A zero that the compiler does not know: GCC would peel off the first additions, and with them the registers.
  static Vector pinned_zero() {
    Vector zero = S::zero();
    pin(zero);
    return zero;
  }

  static void store_twice(const Halves* halves, int32_t* to) {
    for (int i = 0; i < 2; ++i, to += kBlockChannels / 2) {
      Numbers pairs;
      memcpy(&pairs, halves + i, sizeof pairs);
      const Numbers twice[] = {pairs << 1 & 0x1fffe, pairs >> 15 & 0x1fffe};
      memcpy(to, &twice[0], sizeof pairs);
      memcpy(to + kBlockChannels / 4, &twice[1], sizeof pairs);
    }
  }

  static inline __attribute__((always_inline)) Vector weights_of(const uint8_t* filter, int nibble) {
    if constexpr (kApart) return S::load(filter + nibble * kBlockChannels);
    const Vector both = S::load(filter + nibble / 2 * kBlockChannels);
    return nibble % 2 == 0 ? S::low_nibbles(both) : S::high_nibbles(both);
  }

  // Adds one word's differences to bytes.
  template <int P, int N>
  static inline __attribute__((always_inline)) void look_up(const uint32_t (&activation)[P], const uint8_t* filter,
                                                            Vector (&sum)[P][N]) {
#pragma GCC unroll 8
    for (int nibble = 0; nibble < kNibbles; ++nibble) {
      Vector weights[N];
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) weights[n] = weights_of(filter + n * kBytesPerWord * kBlockChannels, nibble);
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
