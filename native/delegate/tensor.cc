// Tensors and error messages.
#include "delegate/tensor.h"

#include <stdarg.h>
#include <stdio.h>

#include "memory.h"

namespace mbnn {

void refresh(const TfLiteTensor& from, Tensor* tensor) {
  tensor->type = from.type;
  tensor->quantization = from.params;
  tensor->bytes = from.bytes;
  tensor->data = from.data;
  tensor->constant = from.allocation_type == kTfLiteMmapRo || from.allocation_type == kTfLitePersistentRo;
  tensor->rank = from.dims == nullptr ? 0 : from.dims->size;
  for (int i = 0; i < tensor->rank && i < kMaxRank; ++i) tensor->dims[i] = from.dims->data[i];
}

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
  const size_t element = element_bytes(tensor.type);
  if (!tensor.constant || element == 0) return true;
  if (tensor.bytes / element < static_cast<size_t>(product)) {
    return reporter.fail("tensor %d has fewer bytes than its shape says", tensor.index);
  }
  return reinterpret_cast<uintptr_t>(tensor.data) % element == 0 ||
         reporter.fail("tensor %d is not aligned", tensor.index);
}

}  // namespace mbnn
