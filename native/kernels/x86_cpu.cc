// CPUID and XGETBV: the instruction sets of x86.
#include "kernels/x86_cpu.h"

#if defined(__x86_64__)  // other machines get the x86 kernels through SIMDe, and then nothing is asked
#include <cpuid.h>
#include <stdint.h>

namespace mbnn {
namespace {

struct Leaf {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;

  explicit Leaf(unsigned number) { __get_cpuid_count(number, 0, &eax, &ebx, &ecx, &edx); }
};

bool all(unsigned value, unsigned bits) { return (value & bits) == bits; }

// Whether the system saves these kinds of registers when it switches between threads.
bool system_saves(unsigned kinds) {
  if (!all(Leaf(1).ecx, bit_OSXSAVE)) return false;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return all(low, kinds);
}

constexpr unsigned kAvxRegisters = 0x06;     // XMM and the upper halves of YMM
constexpr unsigned kAvx512Registers = 0xe6;  // these, masks, the upper halves of ZMM, ZMM16 to 31

}  // namespace

bool x86_has_sse4() { return all(Leaf(1).ecx, bit_SSE4_2 | bit_POPCNT); }

bool x86_has_avx2() { return system_saves(kAvxRegisters) && all(Leaf(7).ebx, bit_AVX2); }

bool x86_has_avx512() {
  const Leaf leaf(7);
  return system_saves(kAvx512Registers) && all(leaf.ebx, bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ) &&
         all(leaf.ecx, bit_AVX512VPOPCNTDQ);
}

}  // namespace mbnn
#endif
