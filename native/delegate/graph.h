// What a partition is made of, for those that build, fuse, plan and run it.
#pragma once

#include "delegate/operator.h"

namespace mbnn {

struct Operator {
  const OperatorType* type = nullptr;
  void* state = nullptr;
  int node = 0;
  NodeView view;
  Operator* fused_into = nullptr;
  bool done = false;  // its output is a constant now

  ~Operator() {
    if (state != nullptr) type->destroy(state);
  }
  Reporter reporter(TfLiteContext* context) const { return Reporter(context, type->name, node); }
};

// Raw memory for objects that are made one by one; the first size() are alive.
template <class T>
class Pool {
 public:
  Pool() = default;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() {
    for (T& object : *this) object.~T();
  }

  bool allocate(size_t capacity) { return memory_.allocate(capacity); }
  T* add() { return new (&memory_[size_++]) T(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return memory_[i]; }
  T* begin() { return memory_.begin(); }
  T* end() { return memory_.begin() + size_; }

 private:
  Array<T> memory_;
  size_t size_ = 0;
};

// Operators in the order of the model's plan, and all tensors they touch.
struct Graph {
  Pool<Operator> operators;
  Pool<Tensor> tensors;
  // Those that run, in the order they do; made by `fuse`.
  Array<Operator*> order;
  size_t running = 0;
};

// Moves element-wise operators into the fusion of the operator that makes their input, and LceQuantize after them, as far
// as the shapes that they have now allow. False if there is no memory.
bool fuse(Graph& graph);

// Gives every tensor that only the partition sees a place in one block of memory, where lifetimes that do not overlap
// may share bytes, and a residual ADD writes over its operand. Shapes must be known. False if there is no memory.
bool plan_memory(Graph& graph, Array<uint8_t>& memory);

}  // namespace mbnn
