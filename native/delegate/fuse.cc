// Which operators of a partition become one.
#include "delegate/bconv2d.h"
#include "delegate/elementwise.h"
#include "delegate/graph.h"

namespace mbnn {
namespace {

// Signs that all who were to read them read packed.
bool is_unread(const Operator& op) {
  return op.type == &kDequantize && !op.view.output->from_runtime && op.view.output->uses == 0;
}

class Fuser {
 public:
  explicit Fuser(Graph& graph) : graph_(graph) {}

  void run() {
    for (size_t i = 0; i < graph_.operators.size(); ++i) {
      Operator& head = graph_.operators[i];
      if (head.fused_into != nullptr || !makes_floats(head)) continue;
      absorb_elementwise(head, i);
      absorb_quantize(head, i);
    }
  }

 private:
  static bool makes_floats(const Operator& op) {
    return (op.type == &kBconv2d || op.type == &kBatchMatMul || is_elementwise(*op.type)) && op.view.output->type == kTfLiteFloat32;
  }

  // The only input that reads the tensor, among operators after `from`; null if the runtime sees the tensor.
  Operator* only_reader(const Tensor& tensor, size_t from, int* input) {
    if (tensor.from_runtime || tensor.uses != 1) return nullptr;
    for (size_t i = from + 1; i < graph_.operators.size(); ++i) {
      Operator& op = graph_.operators[i];
      for (*input = 0; *input < op.view.input_count; ++*input) {
        if (op.view.inputs[*input] == &tensor) return &op;
      }
    }
    return nullptr;
  }

  static void absorb(Operator& head, Operator& op) { op.fused_into = &head; }

  void absorb_elementwise(Operator& head, size_t from) {
    int input = 0;
    while (Operator* op = only_reader(*head.view.fusion.stored, from, &input)) {
      // An operator of two convolutions' results belongs to the first of them; the other's is its operand.
      if (op->fused_into != nullptr || !is_elementwise(*op->type) || !makes_floats(*op)) return;
      if (!add_elementwise(*op->type, op->state, op->view, input, &head.view.fusion)) return;
      head.view.fusion.stored = op->view.output;
      absorb(head, *op);
    }
  }

  void absorb_quantize(Operator& head, size_t from) {
    if (head.type == &kBconv2d && !has_one_group(head.view)) return;  // words would be shared between groups
    Tensor& value = *head.view.fusion.stored;
    for (size_t i = from + 1; i < graph_.operators.size(); ++i) {
      Operator& op = graph_.operators[i];
      if (op.type != &kQuantize || op.view.input_count != 1 || op.view.inputs[0] != &value) continue;
      head.view.fusion.packed = op.view.output;
      if (!value.from_runtime && value.uses == 1) head.view.fusion.stored = nullptr;
      return absorb(head, op);
    }
  }

  Graph& graph_;
};

}  // namespace

bool fuse(Graph& graph) {
  if (!graph.order.allocate(graph.operators.size())) return false;
  graph.running = 0;
  for (Operator& op : graph.operators) op.fused_into = nullptr;
  Fuser(graph).run();
  // A fused operator runs where the last of its element-wise ones stood: all operands are there, and a sign that it
  // packs is only read later.
  for (size_t i = 0; i < graph.operators.size(); ++i) {
    Operator& op = graph.operators[i];
    if (op.done || is_unread(op)) continue;
    Operator* head = op.fused_into == nullptr ? &op : op.fused_into;
    if (op.type == &kQuantize && head != &op) continue;
    for (size_t j = 0; j < graph.running; ++j) {
      if (graph.order[j] != head) continue;
      for (; j + 1 < graph.running; ++j) graph.order[j] = graph.order[j + 1];
      --graph.running;
    }
    graph.order[graph.running++] = head;
  }
  return true;
}

}  // namespace mbnn
