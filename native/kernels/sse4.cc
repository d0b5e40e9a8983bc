// Kernels for x86-64 CPUs without AVX2: 16 output channels in a look-up.
#include "kernels/generic.h"
#include "kernels/intrinsics.h"
#include "kernels/nibble_look_up.h"
#include "kernels/x86_cpu.h"

namespace mbnn {
namespace {

struct Sse4 {
  static constexpr const char* kName = "sse4";
  static bool cpu_has_it() { return kEmulated || x86_has_sse4(); }

  static constexpr int kTileBlocks = 2;
  static constexpr int kTilePixels = 6;  // 12 accumulators, 2 filter vectors, 1 table of 16 registers
  using Inner = NibbleLookUp<Sse4>;

  using Vector = __m128i;
  static Vector load(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
  static void store(Vector v, void* to) { _mm_storeu_si128(static_cast<__m128i*>(to), v); }
  static Vector zero() { return _mm_setzero_si128(); }
  static Vector add(Vector a, Vector b) { return _mm_add_epi8(a, b); }
  static Vector look_up(Vector table, Vector indices) { return _mm_shuffle_epi8(table, indices); }
  static Vector low_nibbles(Vector bytes) { return _mm_and_si128(bytes, _mm_set1_epi8(15)); }
  static Vector high_nibbles(Vector bytes) { return low_nibbles(_mm_srli_epi16(bytes, 4)); }

  static uint32_t greater(const int32_t* a, const int32_t* b) {
    return gather_signs([&](int i) { return _mm_castsi128_ps(_mm_cmpgt_epi32(load(a + i), load(b + i))); });
  }
  static uint32_t below_zero(const float* x) {
    return gather_signs([&](int i) { return _mm_cmplt_ps(_mm_loadu_ps(x + i), _mm_setzero_ps()); });
  }
  static uint32_t below(const int8_t* x, int8_t bound) {
    const __m128i bounds = _mm_set1_epi8(bound);
    const int low = _mm_movemask_epi8(_mm_cmplt_epi8(load(x), bounds));
    const int high = _mm_movemask_epi8(_mm_cmplt_epi8(load(x + 16), bounds));
    return static_cast<uint32_t>(low) | static_cast<uint32_t>(high) << 16;
  }

 private:
  template <class Compare>
  static uint32_t gather_signs(const Compare& compare) {
    uint32_t mask = 0;
    for (int i = 0; i < kWordBits; i += 4) mask |= static_cast<uint32_t>(_mm_movemask_ps(compare(i))) << i;
    return mask;
  }
};

}  // namespace

constexpr Kernels kSse4Kernels = Generic<Sse4>::kernels();

}  // namespace mbnn
