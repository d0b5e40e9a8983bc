// Loads the library named on the command line, creates a delegate, runs one LceQuantize as a TFLite runtime would, and
// prints the words: for C libraries that no TFLite runtime is built for, such as musl in the place of Android's bionic.
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "delegate/tflite_abi.h"

extern "C" int* __errno() { return &errno; }  // bionic's name

namespace {

constexpr int kChannels = 70, kWords = 3;

struct {
  int size = 1;
  int data[1];
} one_node = {1, {0}}, input_index = {1, {0}}, output_index = {1, {1}};

struct {
  int size = 2;
  int data[2];
} input_shape = {2, {1, kChannels}}, output_shape = {2, {1, kWords}};

template <class List>
TfLiteIntArray* as_array(List& list) {
  return reinterpret_cast<TfLiteIntArray*>(&list);
}

float values[kChannels];
int words[kWords];
TfLiteTensor tensors[2];
TfLiteNode node;
TfLiteRegistration quantize;
bool ran = false;

void report_line(const char* message) { puts(message); }

void report(TfLiteContext*, const char* format, ...) { puts(format); }

TfLiteStatus run(TfLiteContext* context, TfLiteRegistration kernel, const TfLiteIntArray*, TfLiteDelegate* delegate) {
  TfLiteDelegateParams params = {delegate, as_array(one_node), as_array(input_index), as_array(output_index)};
  TfLiteNode kernel_node = {};
  kernel_node.inputs = as_array(input_index);
  kernel_node.outputs = as_array(output_index);
  kernel_node.delegate = delegate;
  kernel_node.user_data = kernel.init(context, reinterpret_cast<const char*>(&params), 0);
  if (kernel.prepare(context, &kernel_node) != kTfLiteOk) return kTfLiteError;
  ran = kernel.invoke(context, &kernel_node) == kTfLiteOk;
  kernel.free(context, kernel_node.user_data);
  return kTfLiteOk;
}

void describe(TfLiteTensor& tensor, int type, void* data, size_t bytes, TfLiteIntArray* shape) {
  tensor.type = type;
  tensor.data = data;
  tensor.bytes = bytes;
  tensor.dims = shape;
}

TfLiteContext make_context() {
  for (int i = 0; i < kChannels; ++i) values[i] = static_cast<float>(i % 3 - 1);
  describe(tensors[0], kTfLiteFloat32, values, sizeof values, as_array(input_shape));
  describe(tensors[1], kTfLiteInt32, words, sizeof words, as_array(output_shape));
  node.inputs = as_array(input_index);
  node.outputs = as_array(output_index);
  quantize.builtin_code = 32;  // a custom operator
  quantize.custom_name = "LceQuantize";
  TfLiteContext context = {};
  context.tensors = tensors;
  context.tensors_size = 2;
  context.ReportError = report;
  context.GetExecutionPlan = [](TfLiteContext*, TfLiteIntArray** plan) {
    *plan = as_array(one_node);
    return kTfLiteOk;
  };
  context.GetNodeAndRegistration = [](TfLiteContext*, int, TfLiteNode** its_node, TfLiteRegistration** registration) {
    *its_node = &node;
    *registration = &quantize;
    return kTfLiteOk;
  };
  context.ResizeTensor = [](TfLiteContext*, TfLiteTensor*, TfLiteIntArray* shape) {
    free(shape);  // the output has its memory already
    return kTfLiteOk;
  };
  context.ReplaceNodeSubsetsWithDelegateKernels = run;
  return context;
}

}  // namespace

int main(int, char** arguments) {
  void* library = dlopen(arguments[1], RTLD_NOW);
  if (library == nullptr) {
    puts(dlerror());
    return 1;
  }
  using Create = TfLiteDelegate* (*)(const char* const*, const char* const*, size_t, void (*)(const char*));
  const auto create = reinterpret_cast<Create>(dlsym(library, "tflite_plugin_create_delegate"));
  const auto destroy = reinterpret_cast<void (*)(TfLiteDelegate*)>(dlsym(library, "tflite_plugin_destroy_delegate"));
  const char* const key = "num_threads";
  const char* const value = "3";
  TfLiteDelegate* delegate = create(&key, &value, 1, report_line);
  if (delegate == nullptr) return 1;
  TfLiteContext context = make_context();
  const bool prepared = delegate->Prepare(&context, delegate) == kTfLiteOk;
  destroy(delegate);
  if (!prepared || !ran) return 1;
  for (int word : words) printf("%d ", word);
  return 0;
}
