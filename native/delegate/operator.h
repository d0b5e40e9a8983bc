// What the delegate's operators share: tensors, error messages, the table of functions that makes an operator.
#pragma once

#include <stdint.h>

#include "delegate/flexbuffer.h"
#include "delegate/tflite_abi.h"
#include "kernels/kernels.h"
#include "kernels/thread_pool.h"
#include "memory.h"

namespace mbnn {

constexpr int kMaxRank = 8;

// A tensor that operators of a partition read or write: the runtime's, or the delegate's own if none outside sees it.
struct Tensor {
  int index = 0;  // in the runtime
  bool from_runtime = false;
  bool constant = false;
  int32_t type = kTfLiteNoType;
  int rank = 0;
  int dims[kMaxRank] = {};
  TfLiteQuantizationParams quantization = {};
  size_t bytes = 0;      // that the runtime holds; only a constant's are relied on
  void* data = nullptr;  // valid while operators run, and always for constants
  Array<uint8_t> own;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  int channels() const { return dims[rank - 1]; }
  // Product of all dimensions but the last; of all. Both fit: `check_size` saw the tensor.
  int64_t rows() const {
    int64_t product = 1;
    for (int i = 0; i + 1 < rank; ++i) product *= dims[i];
    return product;
  }
  int64_t elements() const { return rows() * channels(); }
};

// The size of one element, 0 for a type that no operator here takes.
size_t element_bytes(int32_t type);

// Says through the runtime what is wrong with which operator.
class Reporter {
 public:
  Reporter(TfLiteContext* context, const char* name, int node) : context_(context), name_(name), node_(node) {}
  // Always false, so that a check can return it.
  bool fail(const char* format, ...) const __attribute__((format(printf, 2, 3)));

 private:
  TfLiteContext* context_;
  const char* name_;
  int node_;
};

// False, reported, unless the rank is one we store, every dimension is positive and 31 bits can count the elements.
bool check_size(const Tensor& tensor, const Reporter& reporter);

// An option of the operator that must lie in [low, high].
bool read_option(const FlexMap& options, const char* key, int low, int high, int* value, const Reporter& reporter);

// Where a window of `size` taps, `dilation` apart, moves over `input` in steps of `stride`.
struct Window {
  int size = 1, stride = 1, dilation = 1;
  int output = 0;
  int64_t before = 0;  // padding

  // TFLite's rule for SAME and VALID. False if nothing fits.
  bool slide(int input, bool same);
  // The first input coordinate of an output coordinate; may lie outside.
  int64_t start(int64_t at) const { return at * stride - before; }
};

enum { kPaddingSame = 0, kPaddingValid = 1 };

// What an operator sees of its node.
struct NodeView {
  static constexpr int kMaxInputs = 5;
  Tensor* inputs[kMaxInputs] = {};  // null where one was left out
  int input_count = 0;
  Tensor* output = nullptr;
};

struct Machine {
  const Kernels* kernels = nullptr;
  ThreadPool pool;
};

// One kind of operator. State is what `create` returned.
struct OperatorType {
  const char* custom_name;
  void* (*create)();
  void (*destroy)(void* state);
  // Reads the options; once.
  bool (*parse)(void* state, const void* options, size_t size, const Reporter&);
  // Checks the inputs, gives the output its rank and dims; after every resize.
  bool (*prepare)(void* state, const NodeView&, const Machine&, const Reporter&);
  bool (*run)(void* state, const NodeView&, Machine&, const Reporter&);
};

template <class Operator>
constexpr OperatorType operator_type(const char* custom_name) {
  return {custom_name, [] { return static_cast<void*>(mbnn::create<Operator>()); },
          [](void* state) { mbnn::destroy(static_cast<Operator*>(state)); },
          [](void* state, const void* options, size_t size, const Reporter& reporter) {
            return static_cast<Operator*>(state)->parse(options, size, reporter);
          },
          [](void* state, const NodeView& node, const Machine& machine, const Reporter& reporter) {
            return static_cast<Operator*>(state)->prepare(node, machine, reporter);
          },
          [](void* state, const NodeView& node, Machine& machine, const Reporter& reporter) {
            return static_cast<Operator*>(state)->run(node, machine, reporter);
          }};
}

extern const OperatorType kQuantize;
extern const OperatorType kDequantize;
extern const OperatorType kBconv2d;
extern const OperatorType kBMaxPool2d;

// The operator of that custom name, or null.
const OperatorType* find_operator(const char* custom_name);

// Splits rows into a few parts per thread and runs body(first, last) for each.
template <class Body>
void split(ThreadPool& pool, int64_t rows, const Body& body) {
  const int64_t wanted = pool.threads() == 1 ? 1 : 4 * pool.threads();
  const int64_t parts = rows < wanted ? rows : wanted;
  pool.run(parts, [&](int64_t i) { body(rows * i / parts, rows * (i + 1) / parts); });
}

inline int words_of(int channels) { return channels / kWordBits + (channels % kWordBits != 0); }

}  // namespace mbnn
