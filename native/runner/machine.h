// What this machine is and what may slow it down, as the JSON objects of the protocol.
#pragma once

#include "runner/text.h"

namespace mbnn {

void write_machine(Text* to);

// Of these cores, or of all if there are none.
void write_condition(const double* cpus, int count, Text* to);

}  // namespace mbnn
