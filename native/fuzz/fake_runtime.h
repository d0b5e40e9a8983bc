// A small TFLite runtime for a fuzzer: the model comes from its bytes, the rules are those of the real runtime.
//
// What a runtime vouches for holds here too: a tensor's memory has `bytes` bytes and those of its shape, unless it is
// a constant, whose shape the file is free to lie about; nodes name tensors that exist; operators run in an order in
// which tensors are written before they are read. Every tensor is a heap block of its own, so that the address
// sanitizer sees the first byte beyond it.
#pragma once

#include <memory>
#include <vector>

#include "byte_reader.h"
#include "delegate/tflite_abi.h"

namespace mbnn::fuzz {

// A TfLiteIntArray of our own.
class IntArray {
 public:
  IntArray() : IntArray(std::vector<int>()) {}
  explicit IntArray(const std::vector<int>& values) : words_(1 + values.size()) {
    words_[0] = static_cast<int>(values.size());
    std::copy(values.begin(), values.end(), words_.begin() + 1);
  }
  TfLiteIntArray* abi() { return reinterpret_cast<TfLiteIntArray*>(words_.data()); }
  std::vector<int> values() const { return std::vector<int>(words_.begin() + 1, words_.end()); }

 private:
  std::vector<int> words_;
};

class FakeRuntime {
 public:
  FakeRuntime();
  FakeRuntime(const FakeRuntime&) = delete;
  FakeRuntime& operator=(const FakeRuntime&) = delete;
  ~FakeRuntime();

  // As the runtime's functions of these names. False is an error: then only the destructor may follow.
  bool load(ByteReader& model);
  bool modify_graph(TfLiteDelegate* delegate);
  bool resize_input(ByteReader& changes);
  bool allocate_tensors();
  bool invoke();

 private:
  struct Subset {
    bool replaced;
    std::vector<int> nodes;
  };
  struct Memory {
    std::unique_ptr<uint8_t[]> block;
    IntArray dims;
    bool is_output = false;  // of the graph
    bool written = false;    // by some node
    uint8_t fill = 0;
    const Subset* last_writer = nullptr;
    bool changes_shape = false;  // if a foreign operator writes it: dynamic
  };
  struct Node {
    TfLiteNode abi = {};
    TfLiteRegistration registration = {};
    IntArray inputs, outputs;
    std::vector<uint8_t> options;
    std::vector<int32_t> builtin_data;
    bool is_kernel = false;  // of the delegate
  };

  static FakeRuntime& of(TfLiteContext* context) { return *static_cast<FakeRuntime*>(context->impl); }
  bool load_tensor(ByteReader& model, TfLiteTensor& tensor, Memory& memory);
  void load_constant(ByteReader& model, TfLiteTensor& tensor, Memory& memory);
  void load_node(ByteReader& model);
  bool is_ready(const Node& node, const std::vector<bool>& ready) const;
  bool partition(const std::vector<bool>& replaced, std::vector<Subset>* subsets) const;
  TfLiteStatus replace(const TfLiteRegistration& registration, const TfLiteIntArray* nodes, TfLiteDelegate* delegate);
  int add_kernel(const TfLiteRegistration& registration, const Subset& subset, TfLiteDelegate* delegate);
  bool resize(TfLiteTensor& tensor, const std::vector<int>& shape);
  bool allocate(size_t index);
  bool prepare_from(size_t position);
  bool run_foreign(Node& node);

  TfLiteContext context_ = {};
  std::vector<TfLiteTensor> tensors_;
  std::vector<Memory> memory_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<int> plan_;
  IntArray plan_copy_;
  size_t prepared_ = 0;  // nodes of the plan
};

}  // namespace mbnn::fuzz
