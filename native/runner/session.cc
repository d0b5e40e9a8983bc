#include "runner/session.h"

#include <math.h>
#include <stdio.h>

namespace mbnn {
namespace {

char reported[1024] = "";

bool is_ours(const Request& request) { return strcmp(request.engine, "delegate") == 0; }

// Standard normal floats, and any bits for other types. The host has numbers of its own for comparisons.
class Random {
 public:
  uint32_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>(state_ >> 32);
  }
  float normal() {
    double sum = 0;  // of twelve uniform numbers: a variance of 1
    for (int i = 0; i < 12; ++i) sum += bits() / 4294967296.0;
    return static_cast<float>(sum - 6);
  }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

}  // namespace

const char* last_report() { return reported; }

void report_of_library(const char* message) {
  dprintf(2, "%s\n", message);
  snprintf(reported, sizeof reported, "%s", message);
}

void report_of_tflite(void*, const char* format, va_list arguments) {
  char message[sizeof reported];
  vsnprintf(message, sizeof message, format, arguments);
  dprintf(2, "%s\n", message);
  if (reported[0] != '\0') return;  // what follows is a consequence of the first
  message[strcspn(message, "\n")] = '\0';
  snprintf(reported, sizeof reported, "%s", message);
}

Session::~Session() {
  const TfLite& tflite = runtime_.tflite;
  if (interpreter_ != nullptr) tflite.destroy(interpreter_);  // before the delegates, which it uses
  if (trace_ != nullptr) runtime_.library.destroy(trace_);
  if (xnnpack_ != nullptr) tflite.xnnpack_delete(xnnpack_);
  if (computing_ != nullptr) runtime_.library.destroy(computing_);
  if (options_ != nullptr) tflite.options_delete(options_);
  if (model_ != nullptr) tflite.model_delete(model_);
}

bool Session::load(const Array<uint8_t>& model, const Request& request, bool xnnpack, const char* profile,
                   const char* trace, Failure* failure) {
  const TfLite& tflite = runtime_.tflite;
  reported[0] = '\0';
  model_ = tflite.model_create(model.data(), model.size());
  if (model_ == nullptr) return fail(failure, "", "the engine %s refuses the file: it is malformed", request.engine);
  options_ = tflite.options_create();
  if (options_ == nullptr) return fail(failure, "", "out of memory");
  tflite.set_num_threads(options_, request.threads);
  tflite.set_error_reporter(options_, report_of_tflite, nullptr);
  if (is_ours(request) && !apply_library(request, profile, failure)) return false;
  if (xnnpack && tflite.xnnpack_create != nullptr) {
    XnnpackOptions options = tflite.xnnpack_options();
    options.num_threads = request.threads;
    xnnpack_ = tflite.xnnpack_create(&options);
    if (xnnpack_ == nullptr) return fail(failure, "", "XNNPACK cannot be started");
    tflite.add_delegate(options_, xnnpack_);
  }
  interpreter_ = tflite.create(model_, options_);
  if (interpreter_ == nullptr || tflite.allocate(interpreter_) != kTfLiteOk) {
    fail(failure, is_ours(request) ? "" : "Use the engine delegate for binary files", "the engine %s refuses the file",
         request.engine);
    snprintf(failure->why, sizeof failure->why, "%s", reported);
    return false;
  }
  if (trace != nullptr) {
    const char* keys[] = {"trace"};
    const char* values[] = {trace};
    trace_ = runtime_.library.create(keys, values, 1, report_of_library);
    // Whoever comes last sees the nodes that run.
    if (trace_ == nullptr || tflite.modify(interpreter_, trace_) != kTfLiteOk ||
        tflite.allocate(interpreter_) != kTfLiteOk) {
      return fail(failure, "", "the operators cannot be timed");
    }
  }
  return allocate(failure);
}

bool Session::apply_library(const Request& request, const char* profile, Failure* failure) {
  const Library& library = runtime_.library;
  char threads[16];
  snprintf(threads, sizeof threads, "%d", request.threads);
  const char* keys[3] = {"num_threads"};
  const char* values[3] = {threads};
  size_t count = 1;
  if (strcmp(request.kernel, "auto") != 0) {
    keys[count] = "isa";
    values[count++] = request.kernel;
  }
  if (profile != nullptr) {
    keys[count] = "profile";
    values[count++] = profile;
  }
  computing_ = library.create(keys, values, count, report_of_library);
  if (computing_ == nullptr) {
    fail(failure, "", "the native library refuses its options");
    snprintf(failure->why, sizeof failure->why, "%s", reported);
    return false;
  }
  runtime_.tflite.add_delegate(options_, computing_);
  return true;
}

bool Session::allocate(Failure* failure) {
  const TfLite& tflite = runtime_.tflite;
  const int inputs = tflite.input_count(interpreter_), outputs = tflite.output_count(interpreter_);
  if (inputs > static_cast<int>(kMaxTensors) || outputs > static_cast<int>(kMaxTensors)) {
    return fail(failure, "", "the model has %d inputs and %d outputs, which are too many", inputs, outputs);
  }
  for (int i = 0; i < inputs; ++i) {
    if (!inputs_[i].bytes.allocate(tflite.bytes(tflite.input(interpreter_, i)))) {
      return fail(failure, "", "out of memory");
    }
  }
  return true;
}

bool Session::fill_inputs(Failure* failure) {
  const TfLite& tflite = runtime_.tflite;
  Random random;
  for (int i = 0; i < tflite.input_count(interpreter_); ++i) {
    Array<uint8_t>& bytes = inputs_[i].bytes;
    const int type = tflite.type(tflite.input(interpreter_, i));
    if (type == kTfLiteFloat32) {
      for (size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float)) {
        const float value = random.normal();
        memcpy(bytes.data() + at, &value, sizeof value);
      }
    } else {
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits() & (type == kTfLiteBool ? 1 : 255));
    }
  }
  return invoke() || fail(failure, "", "an inference failed: %s", reported);
}

bool Session::invoke() {
  const TfLite& tflite = runtime_.tflite;
  for (int i = 0; i < tflite.input_count(interpreter_); ++i) {
    const Array<uint8_t>& bytes = inputs_[i].bytes;
    if (tflite.copy_in(tflite.input(interpreter_, i), bytes.data(), bytes.size()) != kTfLiteOk) return false;
  }
  if (tflite.invoke(interpreter_) != kTfLiteOk) return false;
  for (int i = 0; i < tflite.output_count(interpreter_); ++i) {
    const TfLiteTensor* tensor = tflite.output(interpreter_, i);
    Array<uint8_t>& bytes = outputs_[i].bytes;
    const size_t size = tflite.bytes(tensor);  // known after the first inference only, where a loop decides it
    if (bytes.size() != size && !bytes.allocate(size)) return false;
    if (tflite.copy_out(tensor, bytes.data(), size) != kTfLiteOk) return false;
  }
  return true;
}

size_t Session::input_bytes() const {
  size_t total = 0;
  for (int i = 0; i < runtime_.tflite.input_count(interpreter_); ++i) total += inputs_[i].bytes.size();
  return total;
}

bool Session::set_inputs(const uint8_t* bytes) {
  for (int i = 0; i < runtime_.tflite.input_count(interpreter_); ++i) {
    memcpy(inputs_[i].bytes.data(), bytes, inputs_[i].bytes.size());
    bytes += inputs_[i].bytes.size();
  }
  return true;
}

}  // namespace mbnn
