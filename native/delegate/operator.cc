// What the operators share.
#include "delegate/operator.h"

#include <stdarg.h>
#include <stdio.h>

namespace mbnn {

size_t element_bytes(int32_t type) {
  switch (type) {
    case kTfLiteFloat32:
    case kTfLiteInt32: return 4;
    case kTfLiteBool:
    case kTfLiteInt8: return 1;
    default: return 0;
  }
}

bool Reporter::fail(const char* format, ...) const {
  char message[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  context_->ReportError(context_, "mobile_bnn: %s (operator %d): %s", name_, node_, message);
  return false;
}

bool check_size(const Tensor& tensor, const Reporter& reporter) {
  if (tensor.rank < 1 || tensor.rank > kMaxRank) {
    return reporter.fail("tensor %d has %d dimensions, allowed are 1 to %d", tensor.index, tensor.rank, kMaxRank);
  }
  int product = 1;
  for (int i = 0; i < tensor.rank; ++i) {
    if (tensor.dims[i] <= 0) return reporter.fail("dimension %d of tensor %d is %d", i, tensor.index, tensor.dims[i]);
    if (!multiply(product, tensor.dims[i], &product)) return reporter.fail("tensor %d is too large", tensor.index);
  }
  return true;
}

bool read_option(const FlexMap& options, const char* key, int low, int high, int* value, const Reporter& reporter) {
  int64_t wide = 0;
  switch (options.integer(key, &wide)) {
    case FlexMap::Found::kMissing: return reporter.fail("option %s is missing", key);
    case FlexMap::Found::kNotAnInteger: return reporter.fail("option %s is not an integer", key);
    case FlexMap::Found::kYes: break;
  }
  if (wide < low || wide > high) {
    return reporter.fail("option %s is %lld, allowed are %d to %d", key, static_cast<long long>(wide), low, high);
  }
  *value = static_cast<int>(wide);
  return true;
}

bool Window::slide(int input, bool same) {
  const int64_t extent = (static_cast<int64_t>(size) - 1) * dilation + 1;
  const int64_t room = same ? static_cast<int64_t>(input) - 1 : input - extent;
  if (room < 0) return false;
  output = static_cast<int>(room / stride + 1);
  const int64_t padding = (static_cast<int64_t>(output) - 1) * stride + extent - input;
  before = same && padding > 0 ? padding / 2 : 0;
  return true;
}

const OperatorType* find_operator(const char* custom_name) {
  if (custom_name == nullptr) return nullptr;
  static const OperatorType* const kAll[] = {&kQuantize, &kDequantize, &kBconv2d, &kBMaxPool2d};
  for (const OperatorType* type : kAll) {
    if (strcmp(type->custom_name, custom_name) == 0) return type;
  }
  return nullptr;
}

}  // namespace mbnn
