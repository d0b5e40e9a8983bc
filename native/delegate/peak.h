// How fast the inner loop of an instruction set is on this machine.
#pragma once

#include "kernels/kernels.h"

namespace mbnn {

// Binary multiply-accumulates a second, in 1e9, of one core within so many milliseconds; 0 if there is no memory.
double measure_peak_gmacs(const Kernels& kernels, int milliseconds);

}  // namespace mbnn
