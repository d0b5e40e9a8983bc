// Inner loops of AVX2: looking counts up, and what it replaces, counting with XOR and two look-ups of nibbles.
#include <immintrin.h>

#include "benchmarks/inner_loops.h"
#include "benchmarks/sums.h"

namespace {

bool has_avx2() { return __builtin_cpu_supports("avx2"); }

// Keeps a sum in its register and its addition where it is written.
void pin(__m256i& vector) { asm volatile("" : "+x"(vector)); }

struct Ymm {
  using Vector = __m256i;
};
template <int P, int N>
using Sums = SumsOf<Ymm, P, N>;

const __m256i* filter_vectors() { return reinterpret_cast<const __m256i*>(loop_data.filter); }

// One PSHUFB for four bits of 32 channels, for P pixels times N * 32 channels.
template <int P, int N>
void look_up_nibbles() {
  Sums<P, N> sums;
  const __m256i* filter = filter_vectors();
  for (int word = 0; word < kLoopWords; ++word) {
    uint32_t activation[P];
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) activation[p] = loop_data.activations[p][word];
#pragma GCC unroll 8
    for (int nibble = 0; nibble < 8; ++nibble) {
      __m256i weights[N];
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) weights[n] = _mm256_load_si256(filter++);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        const uint32_t bits = activation[p] >> 4 * nibble & 15;
        const __m256i table = _mm256_load_si256(reinterpret_cast<const __m256i*>(loop_data.tables) + bits);
#pragma GCC unroll 8
        for (int n = 0; n < N; ++n) {
          sums.of[p][n] = _mm256_add_epi8(sums.of[p][n], _mm256_shuffle_epi8(table, weights[n]));
          pin(sums.of[p][n]);
        }
      }
    }
    if (filter + 8 * N > filter_vectors() + sizeof loop_data.filter / 32) filter = filter_vectors();
  }
  sums.store();
}

// The same instructions on registers alone.
void look_up_in_registers() {
  Sums<6, 2> sums;
  __m256i table = filter_vectors()[2];
  const __m256i weights[2] = {filter_vectors()[0], filter_vectors()[1]};
  for (int i = 0; i < 8 * kLoopWords; ++i) {
#pragma GCC unroll 8
    for (int p = 0; p < 6; ++p) {
#pragma GCC unroll 8
      for (int n = 0; n < 2; ++n) {
        pin(table);
        sums.of[p][n] = _mm256_add_epi8(sums.of[p][n], _mm256_shuffle_epi8(table, weights[n]));
        pin(sums.of[p][n]);
      }
    }
  }
  sums.store();
}

// XOR, then the bits of both nibbles of each byte; a vector is 8 channels of 32 bits. Flushing the bytes, every 31
// words, is left out: this is its upper bound.
template <int P, int N>
void popcount() {
  Sums<P, N> sums;
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i counts = _mm256_load_si256(reinterpret_cast<const __m256i*>(loop_data.tables));
  const __m256i* filter = filter_vectors();
  for (int word = 0; word < kLoopWords; ++word) {
    __m256i weights[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) weights[n] = _mm256_load_si256(filter++);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      const __m256i activation = _mm256_set1_epi32(static_cast<int>(loop_data.activations[p][word]));
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        const __m256i x = _mm256_xor_si256(activation, weights[n]);
        const __m256i low = _mm256_shuffle_epi8(counts, _mm256_and_si256(x, nibble));
        const __m256i high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(x, 4), nibble));
        sums.of[p][n] = _mm256_add_epi8(sums.of[p][n], _mm256_add_epi8(low, high));
        pin(sums.of[p][n]);
      }
    }
  }
  sums.store();
}

constexpr double kBits = 32.0 * kLoopWords;

}  // namespace

const InnerLoop kAvx2Loops[] = {
    {"avx2", "PSHUFB (4 bits), ADD in registers", has_avx2, look_up_in_registers, 6 * 64 * kBits, false},
    {"avx2", "PSHUFB (4 bits), ADD, 6 x 64", has_avx2, look_up_nibbles<6, 2>, 6 * 64 * kBits, true},
    {"avx2", "PSHUFB (4 bits), ADD, 4 x 96", has_avx2, look_up_nibbles<4, 3>, 4 * 96 * kBits, false},
    {"avx2", "PSHUFB (4 bits), ADD, 3 x 128", has_avx2, look_up_nibbles<3, 4>, 3 * 128 * kBits, false},
    {"avx2", "XOR, PSHUFB popcount, ADD, 4 x 16", has_avx2, popcount<4, 2>, 4 * 16 * kBits, false},
    {"avx2", "XOR, PSHUFB popcount, ADD, 3 x 24", has_avx2, popcount<3, 3>, 3 * 24 * kBits, false},
};
const int kAvx2LoopCount = sizeof kAvx2Loops / sizeof *kAvx2Loops;

void read_by_ymm(const uint8_t* from, size_t bytes) {
  const __m256i* at = reinterpret_cast<const __m256i*>(from);
  __m256i all[8] = {};
  for (size_t i = 0; i + 8 <= bytes / sizeof *at; i += 8) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) all[j] = _mm256_or_si256(all[j], at[i + j]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) pin(all[j]);
}

Read read_with_widest_vectors() { return __builtin_cpu_supports("avx512f") ? read_by_zmm : read_by_ymm; }
