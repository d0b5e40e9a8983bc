// What this machine is, as the object of the protocol.
#pragma once

#include "runner/text.h"

namespace mbnn {

void write_machine(Text* to);

}  // namespace mbnn
