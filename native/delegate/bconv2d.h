// What others need to know of a binary convolution.
#pragma once

#include "delegate/operator.h"

namespace mbnn {

// Whether the filter spans all input channels, as far as the shapes in the file tell.
bool has_one_group(const NodeView& node);

}  // namespace mbnn
