// Operands of an element-wise operator that are repeated along some dimensions, as TFLite broadcasts.
#pragma once

#include "delegate/tensor.h"
#include "memory.h"

namespace mbnn {

// Gives `result` the shape of two operands together: dimensions are counted from the last one, and 1 meets any number.
// False, and nothing changed, if they do not fit.
bool broadcast_shape(const Tensor& first, const Tensor& second, Tensor* result);

bool same_shape(const Tensor& first, const Tensor& second);

// A copy of an operand that has the result's shape, for what the kernels cannot follow while they run.
class Repeated {
 public:
  // Gives the copy its shape and memory; false if there is none. Shapes must have been seen by `check_size`.
  bool prepare(const Tensor& operand, const Tensor& result);
  // Copies the values that the operand has now.
  void fill(const Tensor& operand);
  const Tensor& tensor() const { return tensor_; }

 private:
  Tensor tensor_;
  Array<float> values_;
};

}  // namespace mbnn
