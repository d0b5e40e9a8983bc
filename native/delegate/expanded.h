// Packed constants that are unpacked once, when a file is loaded, instead of in every inference.
#pragma once

#include "delegate/graph.h"

namespace mbnn {

// The results of LceDequantize of constants, which the runtime sees as constants too: so XNNPACK, which comes after this
// delegate, lays out a filter that it finds there, as it does with one of the file. Where the runtime undoes its
// delegates, what `expand` did to its tensors is undone too.
class Expanded {
 public:
  Expanded() = default;
  Expanded(const Expanded&) = delete;
  Expanded& operator=(const Expanded&) = delete;

  // Runs the operators of a partition that can be, and marks them as done. False, reported, on any error.
  bool expand(TfLiteContext* context, Graph& graph, Machine& machine);
  void undo(TfLiteContext* context);

 private:
  struct Tensor {
    int index;
    int32_t allocation_type;  // as it was
    Array<uint8_t> memory;
  };

  bool run(TfLiteContext* context, Operator& op, Machine& machine);

  Pool<Tensor> tensors_;
};

}  // namespace mbnn
