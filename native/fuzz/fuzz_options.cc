// libFuzzer target: the reader of operators' options, on bytes that are anything.
#include <stdlib.h>

#include <initializer_list>
#include <memory>

#include "delegate/operator.h"

namespace {

void ignore(TfLiteContext*, const char*, ...) {}

// Whatever is read lies within the bounds that the caller gave.
void read(const mbnn::FlexMap& options, const char* key, int low, int high, const mbnn::Reporter& reporter) {
  int value = 0;
  if (mbnn::read_option(options, key, low, high, &value, reporter) && (value < low || value > high)) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  // A heap block of just that size: the sanitizer sees the first byte beyond.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
  if (size != 0) memcpy(copy.get(), bytes, size);
  TfLiteContext context = {};
  context.ReportError = ignore;
  const mbnn::Reporter reporter(&context, "Fuzz", 0);
  mbnn::FlexMap options;
  if (!options.open(copy.get(), size)) return 0;
  for (const char* key : {"channels_in", "stride_height", "padding", "pad_values", "x", ""}) {
    read(options, key, 1, INT32_MAX, reporter);
    read(options, key, 0, 1, reporter);
    read(options, key, INT32_MIN, -1, reporter);
  }
  return 0;
}
