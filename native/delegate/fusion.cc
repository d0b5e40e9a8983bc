// Fused steps: their operands' shapes, and what the kernels get to see of them.
#include "delegate/fusion.h"

namespace mbnn {

bool Broadcast::match(const Tensor& operand, const Tensor& value) {
  if (operand.rank > value.rank || operand.rank < 0 || value.rank < 1) return false;
  // An operand of fewer dimensions has ones in front.
  const int missing = value.rank - operand.rank;
  const auto dim = [&](int i) { return i < missing ? 1 : operand.dims[i - missing]; };
  int i = value.rank - 1;
  scalar_ = dim(i) == 1 && value.dims[i] != 1;
  if (!scalar_ && dim(i) != value.dims[i]) return false;
  rows_ = 1;
  while (--i >= 0 && dim(i) == 1) rows_ *= value.dims[i];
  if (i < 0) {
    rows_ = 0;
    return true;
  }
  for (; i >= 0; --i) {
    if (dim(i) != value.dims[i]) return false;
  }
  return !scalar_;
}

bool Fusion::add_step(Step::Kind kind, const Tensor* operand) {
  FusedStep* step = next();
  if (step == nullptr) return false;
  step->kind = kind;
  step->operand = operand;
  return true;
}

bool Fusion::add_clamp(float low, float high) {
  FusedStep* step = next();
  if (step == nullptr) return false;
  step->kind = Step::kClamp;
  step->low = low;
  step->high = high;
  return true;
}

bool Fusion::prepare_operand(FusedStep& step, const Tensor& value, const Reporter& reporter) {
  const Tensor& operand = *step.operand;
  if (operand.type != kTfLiteFloat32) return reporter.fail("tensor %d must be float32", operand.index);
  if (!check_size(operand, reporter)) return false;
  if (!step.broadcast.match(operand, value)) {
    return reporter.fail("the shape of tensor %d does not fit that of tensor %d", operand.index, value.index);
  }
  if (!step.broadcast.is_scalar()) return true;
  if (!operand.constant || operand.data == nullptr) return reporter.fail("tensor %d must be constant", operand.index);
  if (!step.repeated.allocate(value.channels())) return reporter.fail("out of memory");
  for (float& element : step.repeated) element = *operand.as<float>();
  return true;
}

bool Fusion::prepare(const Tensor& value, const Reporter& reporter) {
  for (int i = 0; i < count; ++i) {
    if (steps[i].operand != nullptr && !prepare_operand(steps[i], value, reporter)) return false;
  }
  if (stored != nullptr && stored != &value) {
    if (stored->type != kTfLiteFloat32) return reporter.fail("tensor %d must be float32", stored->index);
    stored->set_shape(value);
  }
  if (packed != nullptr) {
    if (packed->type != kTfLiteInt32) return reporter.fail("tensor %d must be int32", packed->index);
    packed->set_shape(value);
    packed->dims[packed->rank - 1] = words_of(value.channels());
  }
  return true;
}

void Fusion::fill(int channels, Epilogue* epilogue) const {
  for (int i = 0; i < count; ++i) {
    const FusedStep& from = steps[i];
    const float* operand = from.operand == nullptr        ? nullptr
                           : from.broadcast.is_scalar() ? from.repeated.data()
                                                        : from.operand->as<float>();
    epilogue->steps[i] = {from.kind, operand, from.broadcast.rows_per_operand_row(), from.low, from.high};
  }
  epilogue->count = count;
  epilogue->channels = channels;
  epilogue->floats = stored == nullptr ? nullptr : stored->as<float>();
  epilogue->bits = packed == nullptr ? nullptr : packed->as<uint32_t>();
}

}  // namespace mbnn
