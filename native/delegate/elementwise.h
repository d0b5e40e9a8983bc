// Float operators of TFLite itself that are claimed next to binary ones, so that they can be fused.
#pragma once

#include "delegate/operator.h"

namespace mbnn {

// True for the operators of elementwise.cc.
bool is_elementwise(const OperatorType& type);

// Whether the operator is worth being run here, and its types and ranks can be: its inputs as the runtime has them now.
// Whatever shapes follow are run, too.
bool supports_elementwise(const OperatorType& type, const TfLiteNode& node, const Tensor* const* inputs,
                          int input_count);

// Adds the operator's steps after what `fusion` has, as if input number `source` were the value at hand; with the shapes
// that the inputs have now. False, and nothing added, if there is no room or the source cannot be that input.
bool add_elementwise(const OperatorType& type, const void* state, const NodeView& node, int source, Fusion* fusion);

}  // namespace mbnn
