// The accumulators of an inner loop: P pixels times N vectors, in registers if the compiler has enough of them.
#pragma once

#include <string.h>

#include "benchmarks/inner_loops.h"

namespace {

// S gives Vector.
template <class S, int P, int N>
struct SumsOf {
  using Vector = typename S::Vector;
  Vector of[P][N];

  SumsOf() {
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) of[p][n] = Vector{};
    }
  }

  void store() const {
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 8
      for (int n = 0; n < N; ++n) {
        memcpy(reinterpret_cast<uint8_t*>(loop_data.result) + sizeof(Vector) * n, &of[p][n], sizeof(Vector));
      }
    }
  }
};

}  // namespace
