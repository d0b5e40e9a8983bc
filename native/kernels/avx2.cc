// Kernels for AVX2, which cannot count bits: it looks up the answer for four channels of input at a time.
#include <immintrin.h>

#include "kernels/generic.h"

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
// PSHUFB and one PADDB serve 32 channels times 4 bits, where XOR and a PSHUFB popcount take eight for twice as much.
struct NibbleLookUp {
  static constexpr int kBlockChannels = 32;
  static constexpr int kBytesPerWord = kNibbles;
  static constexpr int kWordsPerByte = 7;     // a word adds up to 32 to a byte: seven fit
  static constexpr int kWordsPerHalf = 2044;  // of bytes that are added to 16 bits

  // Bytes are split into even and odd ones, and these again: byte i ends up as the number of this channel.
  static constexpr int channel_of_byte(int i) { return i / 4 + 16 * (i % 2) + 8 * (i / 2 % 2); }

  static void pack_block(const uint32_t* words, uint8_t* packed) {
    for (int nibble = 0; nibble < kNibbles; ++nibble) {
      for (int i = 0; i < kBlockChannels; ++i) {
        *packed++ = static_cast<uint8_t>(words[channel_of_byte(i)] >> (4 * nibble) & 15);
      }
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
    __m256i memory[2 * P * N];
    __m256i* halves = memory;
    const __m256i zero = pinned_zero();  // else GCC clears the memory by REP STOS, which is slow to start
    for (int i = 0; i < 2 * P * N; ++i) halves[i] = zero;
    for (;; words -= kWordsPerByte) {
      __m256i sum[P][N];
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
        at.filter += N * kBlockChannels * kNibbles;
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
          __m256i* half = halves + 2 * (p * N + n);
          const __m256i even = _mm256_and_si256(sum[p][n], _mm256_set1_epi16(255));
          half[0] = _mm256_add_epi16(half[0], even);
          half[1] = _mm256_add_epi16(half[1], _mm256_srli_epi16(sum[p][n], 8));
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
  static __m256i pinned_zero() {
    __m256i zero = _mm256_setzero_si256();
    asm volatile("" : "+x"(zero));
    return zero;
  }

  static void store_twice(const __m256i* halves, int32_t* to) {
    const __m256i mask = _mm256_set1_epi32(0x1fffe);
    for (int i = 0; i < 2; ++i, to += 16) {
      __m256i* target = reinterpret_cast<__m256i*>(to);
      _mm256_storeu_si256(target, _mm256_and_si256(_mm256_slli_epi32(halves[i], 1), mask));
      _mm256_storeu_si256(target + 1, _mm256_and_si256(_mm256_srli_epi32(halves[i], 15), mask));
    }
  }

  // Adds one word's differences to bytes.
  template <int P, int N>
  static inline __attribute__((always_inline)) void look_up(const uint32_t (&activation)[P], const uint8_t* filter,
                                                            __m256i (&sum)[P][N]) {
#pragma GCC unroll 8
    for (int nibble = 0; nibble < kNibbles; ++nibble) {
      __m256i weights[N];
#pragma GCC unroll 16
      for (int n = 0; n < N; ++n) {
        const uint8_t* from = filter + (n * kNibbles + nibble) * kBlockChannels;
        weights[n] = _mm256_load_si256(reinterpret_cast<const __m256i*>(from));
      }
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
        const uint8_t* row = kTables.of[activation[p] >> (4 * nibble) & 15];
        const __m256i table = _mm256_load_si256(reinterpret_cast<const __m256i*>(row));
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
          sum[p][n] = _mm256_add_epi8(sum[p][n], _mm256_shuffle_epi8(table, weights[n]));
          // GCC would rather look everything up first and add later, out of registers and half as fast.
          asm volatile("" : "+x"(sum[p][n]));
        }
      }
    }
  }
};

struct Avx2 {
  static constexpr const char* kName = "avx2";
  static bool cpu_has_it() { return __builtin_cpu_supports("avx2"); }

  static constexpr int kTileBlocks = 2;
  static constexpr int kTilePixels = 6;  // 12 accumulators, 2 filter vectors, 1 table of 16 registers
  using Inner = NibbleLookUp;

  static uint32_t greater(const int32_t* a, const int32_t* b) {
    return gather_signs([&](int i) { return _mm256_castsi256_ps(_mm256_cmpgt_epi32(load(a + i), load(b + i))); });
  }
  static uint32_t below_zero(const float* x) {
    const __m256 zero = _mm256_setzero_ps();
    return gather_signs([&](int i) { return _mm256_cmp_ps(_mm256_loadu_ps(x + i), zero, _CMP_LT_OQ); });
  }
  static uint32_t below(const int8_t* x, int8_t bound) {
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(bound), load(x))));
  }
  static void expand_bytes(uint32_t word, int8_t zero, int8_t one, int8_t* out) {
    const __m256i bytes = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bits = _mm256_set1_epi64x(static_cast<int64_t>(0x8040201008040201));
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(word)), bytes);
    const __m256i found = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bits), bits);
    const __m256i changes = _mm256_and_si256(found, _mm256_set1_epi8(static_cast<int8_t>(zero ^ one)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_xor_si256(_mm256_set1_epi8(zero), changes));
  }

 private:
  static __m256i load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }

  template <class Compare>
  static uint32_t gather_signs(const Compare& compare) {
    uint32_t mask = 0;
    for (int i = 0; i < kWordBits; i += 8) mask |= static_cast<uint32_t>(_mm256_movemask_ps(compare(i))) << i;
    return mask;
  }
};

}  // namespace

constexpr Kernels kAvx2Kernels = Generic<Avx2>::kernels();

}  // namespace mbnn
