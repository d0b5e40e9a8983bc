// A model in an interpreter of TFLite's C API, which is found at run time: with our delegate, or with XNNPACK alone.
#pragma once

#include <stdint.h>

#include "runner/tflite.h"

namespace mbnn {

// What went wrong: whose fault it is, and a sentence.
struct Trouble {
  enum Kind { kNone, kModel, kOption, kRuntime, kMemory };
  Kind kind = kNone;
  char text[768] = "";

  bool set(Kind what, const char* format, ...) __attribute__((format(printf, 3, 4)));  // false, to be returned
};

class Network {
 public:
  struct Options {
    int threads;
    bool delegate;
    const char* isa;      // null: the best of this CPU
    const char* runtime;  // a library's name or path; null: the usual ones
  };

  Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  // The file's bytes must stay as long as this, and unchanged.
  bool load(const void* model, size_t size, const Options& options, Trouble* trouble);

  int count(bool outputs) const;
  const TfLiteTensor* tensor(bool outputs, int i) const;
  const TfLite& tflite() const { return tflite_; }

  bool set_input(int i, const void* bytes, size_t size, Trouble* trouble);
  bool invoke(Trouble* trouble);
  bool get_output(int i, void* bytes, size_t size, Trouble* trouble);

 private:
  static void report(void* self, const char* format, va_list arguments);
  bool add_delegates(const Options& options, Trouble* trouble);

  TfLite tflite_ = {};
  TfLiteModel* model_ = nullptr;
  TfLiteInterpreterOptions* options_ = nullptr;
  TfLiteInterpreter* interpreter_ = nullptr;
  TfLiteDelegate* ours_ = nullptr;
  TfLiteDelegate* xnnpack_ = nullptr;
  char reported_[512] = "";  // by the runtime
};

}  // namespace mbnn
