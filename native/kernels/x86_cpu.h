// What the x86 CPU and its system offer, asked of the CPU itself: compilers' own answers need a library of theirs.
#pragma once

namespace mbnn {

bool x86_has_sse4();    // SSE4.2 and POPCNT
bool x86_has_avx2();    // and the system saves its registers
bool x86_has_avx512();  // F, BW, VL, DQ and VPOPCNTDQ, and the system saves their registers

}  // namespace mbnn
