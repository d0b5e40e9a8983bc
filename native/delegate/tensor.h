// Tensors as the operators see them, and how errors are told.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "delegate/tflite_abi.h"
#include "kernels/kernels.h"

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
  size_t bytes = 0;      // that the runtime held when the operators were prepared
  void* data = nullptr;  // valid while operators run, and always for constants
  int uses = 0;          // as an input, in the partition

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
  void set_shape(const Tensor& other) {
    rank = other.rank;
    for (int i = 0; i < kMaxRank; ++i) dims[i] = other.dims[i];
  }
};

// Type, shape and quantization as the runtime has them now.
void refresh(const TfLiteTensor& from, Tensor* tensor);

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

// False, reported, unless the rank is one we store, every dimension is positive, 31 bits can count the elements, and a
// constant has all of them: the shape of a constant is what the file says, and its memory is the file.
bool check_size(const Tensor& tensor, const Reporter& reporter);

inline int words_of(int channels) { return channels / kWordBits + (channels % kWordBits != 0); }

}  // namespace mbnn
