// libFuzzer target: the whole delegate, from its options to its destruction, on a model made of the fuzzer's bytes.
#include "fake_runtime.h"
#include "include/mobile_bnn_delegate.h"
#include "limited_memory.h"

namespace mbnn::fuzz {
namespace {

void run(ByteReader& input, TfLiteDelegate* delegate) {
  FakeRuntime runtime;
  if (!runtime.load(input) || !runtime.modify_graph(delegate) || !runtime.allocate_tensors()) return;
  // Twice, since the second inference finds what the first has left.
  if (!runtime.invoke() || !runtime.invoke()) return;
  for (int resizes = input.below(3); resizes > 0; --resizes) {
    if (!runtime.resize_input(input) || !runtime.allocate_tensors() || !runtime.invoke()) return;
  }
}

}  // namespace
}  // namespace mbnn::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  static const char* const kIsas[] = {"portable", "sse4", "avx2", "avx512", "neon"};
  static const char* const kThreads[] = {"1", "1", "1", "2", "3"};
  mbnn::fuzz::ByteReader input(bytes, size);
  const char* const keys[] = {"num_threads", "isa", "profile"};
  const char* const values[] = {kThreads[input.below(5)], kIsas[input.below(5)], "/dev/null"};
  const size_t given = 1 + input.below(3);  // without isa the best of this machine
  const mbnn::fuzz::LimitedMemory limited(input.byte());
  TfLiteDelegate* delegate = tflite_plugin_create_delegate(keys, values, given, nullptr);
  if (delegate == nullptr) return 0;  // not on this CPU, or out of memory
  mbnn::fuzz::run(input, delegate);
  tflite_plugin_destroy_delegate(delegate);
  return 0;
}
