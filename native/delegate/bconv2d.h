// What others need to know of a binary convolution.
#pragma once

#include "delegate/operator.h"

namespace mbnn {

// Whether the filter spans all input channels.
bool has_one_group(const NodeView& node);

}  // namespace mbnn
