// Shapes of broadcast operands, and copies that have them.
#include "delegate/repeated.h"

namespace mbnn {
namespace {

// Dimension i of `rank`, where a tensor of fewer dimensions has ones first.
int dim_of(const Tensor& tensor, int rank, int i) {
  const int missing = rank - tensor.rank;
  return i < missing ? 1 : tensor.dims[i - missing];
}

}  // namespace

bool broadcast_shape(const Tensor& first, const Tensor& second, Tensor* result) {
  const int rank = first.rank > second.rank ? first.rank : second.rank;
  int dims[kMaxRank];
  for (int i = 0; i < rank; ++i) {
    const int one = dim_of(first, rank, i), other = dim_of(second, rank, i);
    if (one != other && one != 1 && other != 1) return false;
    dims[i] = one == 1 ? other : one;
  }
  result->rank = rank;
  for (int i = 0; i < rank; ++i) result->dims[i] = dims[i];
  return true;
}

bool same_shape(const Tensor& first, const Tensor& second) {
  if (first.rank != second.rank) return false;
  for (int i = 0; i < first.rank; ++i) {
    if (first.dims[i] != second.dims[i]) return false;
  }
  return true;
}

bool Repeated::prepare(const Tensor& operand, const Tensor& result) {
  tensor_ = operand;
  tensor_.from_runtime = true;  // the partition plans no memory for it
  tensor_.constant = false;
  tensor_.set_shape(result);
  if (!values_.allocate(static_cast<size_t>(result.elements()))) return false;
  tensor_.data = values_.data();
  tensor_.bytes = values_.size() * sizeof(float);
  return true;
}

void Repeated::fill(const Tensor& operand) {
  const int rank = tensor_.rank, channels = tensor_.channels();
  // How far the operand's values lie apart along each dimension; 0 where they are repeated.
  int64_t steps[kMaxRank];
  int64_t step = 1;
  for (int i = rank - 1; i >= 0; --i) {
    const int dim = dim_of(operand, rank, i);
    steps[i] = dim == 1 ? 0 : step;
    step *= dim;
  }
  float* to = values_.data();
  const int64_t rows = tensor_.rows();
  for (int64_t row = 0; row < rows; ++row, to += channels) {
    const float* from = operand.as<float>();
    int64_t rest = row;
    for (int i = rank - 2; i >= 0; --i) {
      from += rest % tensor_.dims[i] * steps[i];
      rest /= tensor_.dims[i];
    }
    for (int channel = 0; channel < channels; ++channel) to[channel] = from[channel * steps[rank - 1]];
  }
}

}  // namespace mbnn
