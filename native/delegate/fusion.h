// What an operator does to its float result before it is stored: the epilogue of fused element-wise operators.
#pragma once

#include "delegate/tensor.h"
#include "kernels/kernels.h"
#include "memory.h"

namespace mbnn {

// How the rows of an operand meet those of a value of the same channels.
class Broadcast {
 public:
  // False unless the operand has one element, one row, or the value's rows but for dimensions of 1 after the others.
  bool match(const Tensor& operand, const Tensor& value);
  bool is_scalar() const { return scalar_; }
  // As in Step.
  int64_t rows_per_operand_row() const { return rows_; }

 private:
  bool scalar_ = false;
  int64_t rows_ = 0;
};

struct Fusion {
  struct FusedStep {
    Step::Kind kind;
    const Tensor* operand;  // null for kClamp
    float low, high;
    Broadcast broadcast;
    Array<float> repeated;  // an operand of one element, for each channel
  };
  FusedStep steps[Epilogue::kMaxSteps] = {};
  int count = 0;
  // Where the result goes: as it is, and as sign bits. Either may be null.
  Tensor* stored = nullptr;
  Tensor* packed = nullptr;

  // Forgets all steps; the result goes to `output` as it is.
  void reset(Tensor* output) {
    count = 0;
    stored = output;
    packed = nullptr;
  }
  // False if there is no room for another step.
  bool add_step(Step::Kind kind, const Tensor* operand);
  bool add_clamp(float low, float high);
  // Checks the operands against the operator's result, gives `stored` and `packed` their shapes.
  bool prepare(const Tensor& value, const Reporter& reporter);
  // For the kernels; all tensors must have their memory.
  void fill(int channels, Epilogue* epilogue) const;

 private:
  FusedStep* next() { return count < Epilogue::kMaxSteps ? &steps[count++] : nullptr; }
  static bool prepare_operand(FusedStep& step, const Tensor& value, const Reporter& reporter);
};

}  // namespace mbnn
