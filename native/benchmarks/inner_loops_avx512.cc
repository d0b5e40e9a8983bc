// Inner loops of AVX-512: counting bits, and looking counts up in tables of 64 and 16 entries.
#include <immintrin.h>
#include <string.h>

#include "benchmarks/inner_loops.h"
#include "benchmarks/sums.h"

namespace {

bool has_popcount() { return __builtin_cpu_supports("avx512vpopcntdq"); }
bool has_byte_permute() { return __builtin_cpu_supports("avx512vbmi"); }
bool has_byte_shuffle() { return __builtin_cpu_supports("avx512bw"); }

// Keeps a sum in its register and its addition where it is written.
void pin(__m512i& vector) { asm volatile("" : "+v"(vector)); }

struct Zmm {
  using Vector = __m512i;
};
template <int P, int N>
using Sums = SumsOf<Zmm, P, N>;

// XOR, VPOPCNTD, VPADDD for P pixels times N * 16 channels.
template <int P, int N>
void popcount() {
  Sums<P, N> sums;
  const uint8_t* filter = loop_data.filter;
  for (int word = 0; word < kLoopWords; ++word, filter += N * 64) {
    __m512i weights[N];
#pragma GCC unroll 8
    for (int n = 0; n < N; ++n) weights[n] = _mm512_load_si512(filter + 64 * n);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      const __m512i activation = _mm512_set1_epi32(static_cast<int>(loop_data.activations[p][word]));
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        const __m512i differences = _mm512_popcnt_epi32(_mm512_xor_si512(activation, weights[n]));
        sums.of[p][n] = _mm512_add_epi32(sums.of[p][n], differences);
        pin(sums.of[p][n]);
      }
    }
  }
  sums.store();
}

// The same instructions on registers alone: no load can be in their way.
void popcount_in_registers() {
  Sums<6, 4> sums;
  __m512i weights[4], activation = _mm512_load_si512(loop_data.filter + 256);
  for (int n = 0; n < 4; ++n) weights[n] = _mm512_load_si512(loop_data.filter + 64 * n);
  for (int word = 0; word < kLoopWords; ++word) {
#pragma GCC unroll 8
    for (int p = 0; p < 6; ++p) {
#pragma GCC unroll 8
      for (int n = 0; n < 4; ++n) {
        pin(activation);
        const __m512i differences = _mm512_popcnt_epi32(_mm512_xor_si512(activation, weights[n]));
        sums.of[p][n] = _mm512_add_epi32(sums.of[p][n], differences);
        pin(sums.of[p][n]);
      }
    }
  }
  sums.store();
}

// VPERMB: six bits of 64 channels answered at once by the table that six bits of the activation select. Three words are
// 16 look-ups; sums of bytes would have to be flushed every 42.
template <int P, int N>
void look_up_six_bits() {
  Sums<P, N> sums;
  const uint8_t* filter = loop_data.filter;
  for (int word = 0; word + 3 <= kLoopWords; word += 3) {
    uint64_t low[P], high[P];  // 48 bits each
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
      memcpy(&low[p], &loop_data.activations[p][word], sizeof low[p]);
      high[p] = low[p] >> 48 | static_cast<uint64_t>(loop_data.activations[p][word + 2]) << 16;
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) {
      __m512i weights[N];
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n, filter += 64) weights[n] = _mm512_load_si512(filter);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        const uint64_t bits = (i < 8 ? low[p] : high[p]) >> 6 * (i & 7) & 63;
        const __m512i table = _mm512_load_si512(loop_data.tables + 64 * bits);
#pragma GCC unroll 8
        for (int n = 0; n < N; ++n) {
          sums.of[p][n] = _mm512_add_epi8(sums.of[p][n], _mm512_permutexvar_epi8(weights[n], table));
          pin(sums.of[p][n]);
        }
      }
    }
    if (filter + 16 * N * 64 > loop_data.filter + sizeof loop_data.filter) filter = loop_data.filter;
  }
  sums.store();
}

void six_bits_in_registers() {
  Sums<6, 4> sums;
  __m512i weights[4], table = _mm512_load_si512(loop_data.tables);
  for (int n = 0; n < 4; ++n) weights[n] = _mm512_load_si512(loop_data.filter + 64 * n);
  for (int i = 0; i < kLoopWords; ++i) {
#pragma GCC unroll 8
    for (int p = 0; p < 6; ++p) {
#pragma GCC unroll 8
      for (int n = 0; n < 4; ++n) {
        pin(table);
        sums.of[p][n] = _mm512_add_epi8(sums.of[p][n], _mm512_permutexvar_epi8(weights[n], table));
        pin(sums.of[p][n]);
      }
    }
  }
  sums.store();
}

// 512-bit VPSHUFB: four bits of 64 channels, for CPUs that have AVX-512BW but cannot count.
template <int P, int N>
void look_up_nibbles() {
  Sums<P, N> sums;
  const uint8_t* filter = loop_data.filter;
  for (int word = 0; word < kLoopWords; ++word) {
#pragma GCC unroll 8
    for (int nibble = 0; nibble < 8; ++nibble) {
      __m512i weights[N];
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n, filter += 64) weights[n] = _mm512_load_si512(filter);
#pragma GCC unroll 8
      for (int p = 0; p < P; ++p) {
        const uint32_t bits = loop_data.activations[p][word] >> 4 * nibble & 15;
        const __m512i table = _mm512_load_si512(loop_data.tables + 64 * bits);
#pragma GCC unroll 8
        for (int n = 0; n < N; ++n) {
          sums.of[p][n] = _mm512_add_epi8(sums.of[p][n], _mm512_shuffle_epi8(table, weights[n]));
          pin(sums.of[p][n]);
        }
      }
    }
    if (filter + 8 * N * 64 > loop_data.filter + sizeof loop_data.filter) filter = loop_data.filter;
  }
  sums.store();
}

constexpr double kBits = 32.0 * kLoopWords;

}  // namespace

const InnerLoop kAvx512Loops[] = {
    {"avx512", "XOR, VPOPCNTD, ADD in registers", has_popcount, popcount_in_registers, 6 * 64 * kBits, false},
    {"avx512", "XOR, VPOPCNTD, ADD, 6 x 64", has_popcount, popcount<6, 4>, 6 * 64 * kBits, true},
    {"avx512", "XOR, VPOPCNTD, ADD, 7 x 48", has_popcount, popcount<7, 3>, 7 * 48 * kBits, false},
    {"avx512", "XOR, VPOPCNTD, ADD, 4 x 64", has_popcount, popcount<4, 4>, 4 * 64 * kBits, false},
    {"avx512", "XOR, VPOPCNTD, ADD, 1 x 64", has_popcount, popcount<1, 4>, 1 * 64 * kBits, false},
    {"avx512vbmi", "VPERMB (6 bits), ADD in registers", has_byte_permute, six_bits_in_registers,
     6 * 4 * 64 * 6.0 * kLoopWords, false},
    {"avx512vbmi", "VPERMB (6 bits), ADD, 6 x 64", has_byte_permute, look_up_six_bits<6, 1>, 6 * 64 * kBits, false},
    {"avx512vbmi", "VPERMB (6 bits), ADD, 6 x 128", has_byte_permute, look_up_six_bits<6, 2>, 6 * 128 * kBits, false},
    {"avx512vbmi", "VPERMB (6 bits), ADD, 6 x 256", has_byte_permute, look_up_six_bits<6, 4>, 6 * 256 * kBits, false},
    {"avx512bw", "VPSHUFB (4 bits), ADD, 6 x 64", has_byte_shuffle, look_up_nibbles<6, 1>, 6 * 64 * kBits, false},
    {"avx512bw", "VPSHUFB (4 bits), ADD, 6 x 128", has_byte_shuffle, look_up_nibbles<6, 2>, 6 * 128 * kBits, false},
    {"avx512bw", "VPSHUFB (4 bits), ADD, 6 x 256", has_byte_shuffle, look_up_nibbles<6, 4>, 6 * 256 * kBits, false},
};
const int kAvx512LoopCount = sizeof kAvx512Loops / sizeof *kAvx512Loops;

void read_by_zmm(const uint8_t* from, size_t bytes) {
  const __m512i* at = reinterpret_cast<const __m512i*>(from);
  __m512i all[8] = {};
  for (size_t i = 0; i + 8 <= bytes / sizeof *at; i += 8) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) all[j] = _mm512_or_si512(all[j], at[i + j]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) pin(all[j]);
}
