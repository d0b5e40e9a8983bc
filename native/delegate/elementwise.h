// Float operators of TFLite itself that are claimed next to binary ones, so that they can be fused.
#pragma once

#include "delegate/operator.h"

namespace mbnn {

// True for the operators of elementwise.cc.
bool is_elementwise(const OperatorType& type);

// Whether the operator can be run here, whatever batch size follows: its inputs as the runtime has them now. `source`
// becomes the input that has the result's shape.
bool supports_elementwise(const OperatorType& type, const TfLiteNode& node, const Tensor* const* inputs,
                          int input_count, int* source);

// Adds the operator's steps behind what `fusion` has, as if input number `source` were the value at hand. False, and
// nothing added, if there is no room or the source may not be that input.
bool add_elementwise(const OperatorType& type, const void* state, const NodeView& node, int source, Fusion* fusion);

}  // namespace mbnn
