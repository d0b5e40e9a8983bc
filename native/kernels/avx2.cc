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
      __m256i sum[P][N];
#pragma GCC unroll 16
      for (int p = 0; p < P; ++p) {
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sum[p][n] = _mm256_setzero_si256();
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
        for (int n = 0; n < N; ++n) add_twice(sum[p][n], twice + p * kMaxTileChannels + n * kBlockChannels);
      }
    }
  }

 private:
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
          asm("" : "+x"(sum[p][n]));
        }
      }
    }
  }

  static void add_twice(__m256i bytes, int32_t* to) {
    const __m128i low = _mm256_castsi256_si128(bytes);
    const __m128i high = _mm256_extracti128_si256(bytes, 1);
    add_eight_twice(to, low);
    add_eight_twice(to + 8, _mm_unpackhi_epi64(low, low));
    add_eight_twice(to + 16, high);
    add_eight_twice(to + 24, _mm_unpackhi_epi64(high, high));
  }

  static void add_eight_twice(int32_t* to, __m128i bytes) {
    __m256i* target = reinterpret_cast<__m256i*>(to);
    const __m256i doubled = _mm256_slli_epi32(_mm256_cvtepu8_epi32(bytes), 1);
    _mm256_storeu_si256(target, _mm256_add_epi32(_mm256_loadu_si256(target), doubled));
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
