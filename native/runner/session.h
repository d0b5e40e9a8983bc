// A model in an interpreter of TFLite's C API, with the delegates of an engine.
#pragma once

#include "memory.h"
#include "runner/request.h"
#include "runner/tflite.h"

namespace mbnn {

struct Runtime {
  TfLite tflite = {};
  Library library = {};
  bool has_library = false;
  char why_no_library[1024] = "";
};

// What TFLite or our library said last; the first line of it is the cause that a user reads.
const char* last_report();
void report_of_library(const char* message);
void report_of_tflite(void*, const char* format, va_list arguments);

class Session {
 public:
  explicit Session(const Runtime& runtime) : runtime_(runtime) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Creates an interpreter of the file's bytes, which must stay. `profile` and `trace` name files for the times of our
  // library's operators and of every node, or are null.
  bool load(const Array<uint8_t>& model, const Request& request, bool xnnpack, const char* profile, const char* trace,
            Failure* failure);

  // Seeded random numbers into every input.
  bool fill_inputs(Failure* failure);

  // One inference: copying the input in and the output out is part of it.
  bool invoke();

  size_t input_bytes() const;
  // One sample: the bytes of all inputs, one after the other.
  bool set_inputs(const uint8_t* bytes);
  int output_count() const { return runtime_.tflite.output_count(interpreter_); }
  const Array<uint8_t>& output(int i) const { return outputs_[static_cast<size_t>(i)].bytes; }

 private:
  struct Buffer {
    Array<uint8_t> bytes;
  };
  static constexpr size_t kMaxTensors = 64;

  bool apply_library(const Request& request, const char* profile, Failure* failure);
  bool allocate(Failure* failure);

  const Runtime& runtime_;
  TfLiteModel* model_ = nullptr;
  TfLiteInterpreterOptions* options_ = nullptr;
  TfLiteInterpreter* interpreter_ = nullptr;
  TfLiteDelegate* computing_ = nullptr;
  TfLiteDelegate* xnnpack_ = nullptr;
  TfLiteDelegate* trace_ = nullptr;
  Buffer inputs_[kMaxTensors];
  Buffer outputs_[kMaxTensors];
};

}  // namespace mbnn
