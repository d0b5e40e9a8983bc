// Kernels for AVX-512 with VPOPCNTDQ: one instruction counts the bits of 16 output channels.
#include "kernels/generic.h"
#include "kernels/intrinsics.h"
#include "kernels/lane_popcount.h"
#include "kernels/x86_cpu.h"

namespace mbnn {
namespace {

struct Avx512 {
  static constexpr const char* kName = "avx512";
  static bool cpu_has_it() { return kEmulated || x86_has_avx512(); }

  using Vector = __m512i;
  static constexpr int kLanes = 16;
  static constexpr int kTileBlocks = 4;
  static constexpr int kTilePixels = 6;  // 24 accumulators, 4 filter words, 1 activation of 32 registers
  using Inner = LanePopcount<Avx512>;

  static Vector load(const uint8_t* from) { return _mm512_loadu_si512(from); }
  static void store(int32_t* to, Vector vector) { _mm512_storeu_si512(to, vector); }
  static Vector broadcast(uint32_t word) { return _mm512_set1_epi32(static_cast<int>(word)); }
  static Vector add(Vector a, Vector b) { return _mm512_add_epi32(a, b); }
  static Vector count_differences(Vector a, Vector b) { return _mm512_popcnt_epi32(_mm512_xor_si512(a, b)); }

  static uint32_t greater(const int32_t* a, const int32_t* b) {
    return join(_mm512_cmpgt_epi32_mask(_mm512_loadu_si512(a), _mm512_loadu_si512(b)),
                _mm512_cmpgt_epi32_mask(_mm512_loadu_si512(a + 16), _mm512_loadu_si512(b + 16)));
  }
  static uint32_t below_zero(const float* x) {
    const __m512 zero = _mm512_setzero_ps();
    return join(_mm512_cmp_ps_mask(_mm512_loadu_ps(x), zero, _CMP_LT_OQ),
                _mm512_cmp_ps_mask(_mm512_loadu_ps(x + 16), zero, _CMP_LT_OQ));
  }
  static uint32_t below(const int8_t* x, int8_t bound) {
    const __m256i values = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
    return _mm256_cmplt_epi8_mask(values, _mm256_set1_epi8(bound));
  }
  static void expand_bytes(uint32_t word, int8_t zero, int8_t one, int8_t* out) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        _mm256_mask_blend_epi8(word, _mm256_set1_epi8(zero), _mm256_set1_epi8(one)));
  }

 private:
  // Not `low | high << 16`: GCC 12 may spill the 16 bits of `low` and read 32 back (seen with its sanitizers on).
  static uint32_t join(__mmask16 low, __mmask16 high) { return _mm512_kunpackw(high, low); }
};

}  // namespace

constexpr Kernels kAvx512Kernels = Generic<Avx512>::kernels();

}  // namespace mbnn
