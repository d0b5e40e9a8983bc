// What may slow this machine down right now, as the object of the protocol: temperature, clocks, throttling.
#pragma once

#include "runner/text.h"

namespace mbnn {

// Of these cores, or of all if there are none, read below `system` ("/sys" but for tests). Says what
// mobile_bnn/profiling/condition.py says of the same files.
void write_condition(const char* system, const double* cpus, int count, Text* to);

}  // namespace mbnn
