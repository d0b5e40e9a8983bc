// Kernels for ARMv8.2 with the dot product: UDOT with ones adds four bytes to a 32-bit lane, which never overflows.
#include <sys/auxv.h>

#include "kernels/neon_simd.h"

namespace mbnn {
namespace {

constexpr unsigned long kHwcapAsimdDp = 1ul << 20;  // Linux and Android: the dot product instructions

struct NeonDot : NeonSimd<NeonDot> {
  static constexpr const char* kName = "neon_dot";
  static bool cpu_has_it() { return kEmulated || (getauxval(AT_HWCAP) & kHwcapAsimdDp) != 0; }

  using Sum = uint32x4_t;
  static constexpr int kMostWords = 1 << 26;  // of 32 bits in a lane

  static Sum zero() { return vdupq_n_u32(0); }
  static Sum add(Sum sum, uint8x16_t counts) { return vdotq_u32(sum, counts, vdupq_n_u8(1)); }
  static uint32x4_t lanes(Sum sum) { return sum; }
};

}  // namespace

constexpr Kernels kNeonDotKernels = Generic<NeonDot>::kernels();

}  // namespace mbnn
