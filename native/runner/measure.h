// Measures one file with one engine and writes the figures of the protocol.
#pragma once

#include "runner/session.h"
#include "runner/text.h"

namespace mbnn {

// Writes the object "figures" into `to` and the kernel that ran into `kernel`.
bool measure(const Runtime& runtime, const Request& request, Text* to, char* kernel, size_t kernel_size,
             Failure* failure);

}  // namespace mbnn
