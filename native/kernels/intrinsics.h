// The intrinsics of the instruction set at hand; with MBNN_SIMDE those of every set, in plain C.
//
// SIMDe lets a machine compute what another one's instructions would: the tests of paths that this CPU lacks.
#pragma once

#if defined(MBNN_SIMDE)
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/arm/neon.h>
#include <simde/x86/avx512.h>
#elif defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace mbnn {
namespace {

#if defined(MBNN_SIMDE)
constexpr bool kEmulated = true;

// What SIMDe 0.7.4 lacks.
using __mmask16 = simde__mmask16;
using __mmask32 = simde__mmask32;
inline __mmask32 _mm512_kunpackw(__mmask32 high, __mmask32 low) { return high << 16 | (low & 0xffff); }
inline __mmask32 _mm256_cmplt_epi8_mask(__m256i a, __m256i b) {
  return static_cast<__mmask32>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(b, a)));
}
#else
constexpr bool kEmulated = false;
#endif

// Keeps the compiler from putting off what computes `vector`: GCC likes to do one step for everything first, and runs out
// of registers.
template <class Vector>
inline void pin([[maybe_unused]] Vector& vector) {
#if defined(MBNN_SIMDE)
#elif defined(__AVX512F__)
  asm volatile("" : "+v"(vector));
#elif defined(__x86_64__)
  asm volatile("" : "+x"(vector));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(vector));
#endif
}

}  // namespace
}  // namespace mbnn
