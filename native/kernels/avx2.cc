// Kernels for AVX2: 32 output channels in a look-up.
#include "kernels/generic.h"
#include "kernels/intrinsics.h"
#include "kernels/nibble_look_up.h"
#include "kernels/x86_cpu.h"

namespace mbnn {
namespace {

struct Avx2 {
  static constexpr const char* kName = "avx2";
  static bool cpu_has_it() { return kEmulated || x86_has_avx2(); }

  static constexpr int kTileBlocks = 2;
  static constexpr int kTilePixels = 6;  // 12 accumulators, 2 filter vectors, 1 table of 16 registers
  using Inner = NibbleLookUp<Avx2>;

  using Vector = __m256i;
  static Vector load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static void store(Vector v, void* to) { _mm256_storeu_si256(static_cast<__m256i*>(to), v); }
  static Vector zero() { return _mm256_setzero_si256(); }
  static Vector add(Vector a, Vector b) { return _mm256_add_epi8(a, b); }
  static Vector look_up(Vector table, Vector indices) { return _mm256_shuffle_epi8(table, indices); }
  static Vector low_nibbles(Vector bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi8(15)); }
  static Vector high_nibbles(Vector bytes) { return low_nibbles(_mm256_srli_epi16(bytes, 4)); }

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
