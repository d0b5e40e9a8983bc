// What the operators share.
#include "delegate/operator.h"

namespace mbnn {

bool open_options(const TfLiteNode& node, FlexMap* options, const Reporter& reporter) {
  const size_t size = node.custom_initial_data_size > 0 ? static_cast<size_t>(node.custom_initial_data_size) : 0;
  return options->open(node.custom_initial_data, size) || reporter.fail("the options are no flexbuffer map");
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

const OperatorType* find_operator(const TfLiteRegistration& registration) {
  static const OperatorType* const kAll[] = {&kQuantize,    &kDequantize, &kBconv2d, &kBMaxPool2d, &kMaxPool2d,
                                             &kBatchMatMul, &kAdd,        &kSub,     &kMul,        &kPrelu,
                                             &kRelu,        &kReluN1To1,  &kRelu6};
  for (const OperatorType* type : kAll) {
    if (registration.custom_name == nullptr) {
      if (type->builtin_code == registration.builtin_code && type->builtin_code != kTfLiteBuiltinCustom) return type;
    } else if (type->builtin_code == kTfLiteBuiltinCustom && strcmp(type->name, registration.custom_name) == 0) {
      return type;
    }
  }
  return nullptr;
}

}  // namespace mbnn
