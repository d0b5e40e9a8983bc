#include "network.h"

#include <stdio.h>
#include <string.h>

#include "own_delegate.h"

namespace mbnn {

bool Trouble::set(Kind what, const char* format, ...) {
  kind = what;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  return false;
}

// What follows the first report is a consequence of it.
void Network::report(void* self, const char* format, va_list arguments) {
  char* reported = static_cast<Network*>(self)->reported_;
  if (reported[0] != '\0') return;
  vsnprintf(reported, sizeof reported_, format, arguments);
  reported[strcspn(reported, "\n")] = '\0';
}

Network::~Network() {
  if (interpreter_ != nullptr) tflite_.destroy(interpreter_);  // before the delegates, which it uses
  if (xnnpack_ != nullptr) tflite_.xnnpack_delete(xnnpack_);
  destroy_delegate(ours_);
  if (options_ != nullptr) tflite_.options_delete(options_);
  if (model_ != nullptr) tflite_.model_delete(model_);
}

bool Network::load(const void* model, size_t size, const Options& options, Trouble* trouble) {
  char why[512] = "";
  if (!load_tflite(options.runtime, nullptr, &tflite_, why, sizeof why)) {
    return trouble->set(Trouble::kRuntime,
                        "no TensorFlow Lite library can be used: %s. Cure: add org.tensorflow:tensorflow-lite or LiteRT "
                        "to the app, or name its library with setRuntimeLibrary", why);
  }
  model_ = tflite_.model_create(model, size);
  if (model_ == nullptr) return trouble->set(Trouble::kModel, "the model is malformed");
  options_ = tflite_.options_create();
  if (options_ == nullptr) return trouble->set(Trouble::kMemory, "out of memory");
  tflite_.set_num_threads(options_, options.threads);
  tflite_.set_error_reporter(options_, report, this);
  if (!add_delegates(options, trouble)) return false;
  interpreter_ = tflite_.create(model_, options_);
  if (interpreter_ == nullptr || tflite_.allocate(interpreter_) != kTfLiteOk) {
    return trouble->set(Trouble::kModel, "the runtime refuses the model: %s",
                        reported_[0] == '\0' ? "it gives no reason" : reported_);
  }
  return true;
}

bool Network::add_delegates(const Options& options, Trouble* trouble) {
  if (options.delegate) {
    char why[256];
    ours_ = create_delegate(options.threads, options.isa, why, sizeof why);
    if (ours_ == nullptr) return trouble->set(Trouble::kOption, "%s", why);
    tflite_.add_delegate(options_, ours_);
  }
  if (tflite_.xnnpack_create == nullptr) return true;
  XnnpackOptions settings = tflite_.xnnpack_options();
  settings.num_threads = options.threads;
  xnnpack_ = tflite_.xnnpack_create(&settings);
  if (xnnpack_ == nullptr) return trouble->set(Trouble::kRuntime, "XNNPACK cannot be started");
  tflite_.add_delegate(options_, xnnpack_);
  return true;
}

int Network::count(bool outputs) const {
  return outputs ? tflite_.output_count(interpreter_) : tflite_.input_count(interpreter_);
}

const TfLiteTensor* Network::tensor(bool outputs, int i) const {
  return outputs ? tflite_.output(interpreter_, i) : tflite_.input(interpreter_, i);
}

bool Network::set_input(int i, const void* bytes, size_t size, Trouble* trouble) {
  TfLiteTensor* tensor = tflite_.input(interpreter_, i);
  if (tflite_.bytes(tensor) != size) {
    return trouble->set(Trouble::kOption, "input %d takes %zu bytes, not %zu", i, tflite_.bytes(tensor), size);
  }
  return tflite_.copy_in(tensor, bytes, size) == kTfLiteOk ||
         trouble->set(Trouble::kRuntime, "input %d cannot be set", i);
}

bool Network::invoke(Trouble* trouble) {
  reported_[0] = '\0';
  return tflite_.invoke(interpreter_) == kTfLiteOk ||
         trouble->set(Trouble::kRuntime, "the inference failed: %s", reported_);
}

bool Network::get_output(int i, void* bytes, size_t size, Trouble* trouble) {
  const TfLiteTensor* tensor = tflite_.output(interpreter_, i);
  if (tflite_.bytes(tensor) != size) {
    return trouble->set(Trouble::kOption, "output %d gives %zu bytes, not %zu", i, tflite_.bytes(tensor), size);
  }
  return tflite_.copy_out(tensor, bytes, size) == kTfLiteOk ||
         trouble->set(Trouble::kRuntime, "output %d cannot be read", i);
}

}  // namespace mbnn
