// Kernels for any 64-bit ARM: CNT counts the bits of bytes.
#include "kernels/neon_simd.h"

namespace mbnn {
namespace {

struct Neon : NeonSimd<Neon> {
  static constexpr const char* kName = "neon";
  static bool cpu_has_it() { return true; }

  using Sum = uint8x16_t;
  static constexpr int kMostWords = 31;  // of at most 8 bits in a byte

  static Sum zero() { return vdupq_n_u8(0); }
  static Sum add(Sum sum, uint8x16_t counts) { return vaddq_u8(sum, counts); }
  static uint32x4_t lanes(Sum sum) { return vpaddlq_u16(vpaddlq_u8(sum)); }
};

}  // namespace

constexpr Kernels kNeonKernels = Generic<Neon>::kernels();

}  // namespace mbnn
