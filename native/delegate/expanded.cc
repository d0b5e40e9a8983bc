// LceDequantize of constants, once.
#include "delegate/expanded.h"

namespace mbnn {
namespace {

// Filters that the runtime's own operators read. What only this partition sees needs no constant.
bool can_expand(const Operator& op) {
  if (op.type != &kDequantize || op.view.input_count != 1 || op.view.inputs[0] == nullptr) return false;
  return op.view.inputs[0]->constant && op.view.output->from_runtime;
}

bool same_shape(const Tensor& tensor, const TfLiteTensor& now) {
  if (now.dims == nullptr || now.dims->size != tensor.rank) return false;
  for (int i = 0; i < tensor.rank; ++i) {
    if (now.dims->data[i] != tensor.dims[i]) return false;
  }
  return true;
}

}  // namespace

bool Expanded::expand(TfLiteContext* context, Graph& graph, Machine& machine) {
  size_t count = 0;
  for (Operator& op : graph.operators) count += can_expand(op);
  if (!tensors_.allocate(count)) return false;
  for (Operator& op : graph.operators) {
    if (can_expand(op) && !run(context, op, machine)) return false;
  }
  return true;
}

bool Expanded::run(TfLiteContext* context, Operator& op, Machine& machine) {
  const Reporter reporter = op.reporter(context);
  mbnn::Tensor& output = *op.view.output;
  TfLiteTensor& now = context->tensors[output.index];
  if (!op.type->prepare(op.state, op.view, machine, reporter) || !check_size(output, reporter)) return false;
  // A constant cannot be resized: an output that is not what the file says stays one that is computed.
  if (!same_shape(output, now)) return true;
  Tensor& made = *tensors_.add();
  made.index = output.index;
  made.allocation_type = now.allocation_type;
  const size_t bytes = static_cast<size_t>(output.elements()) * element_bytes(output.type);
  if (!made.memory.allocate(bytes)) return reporter.fail("out of memory");
  output.data = made.memory.data();
  if (!op.type->run(op.state, op.view, machine, reporter)) return false;
  now.data = made.memory.data();
  now.bytes = bytes;
  now.allocation_type = kTfLiteMmapRo;
  op.done = true;
  return true;
}

void Expanded::undo(TfLiteContext* context) {
  for (Tensor& made : tensors_) {
    TfLiteTensor& now = context->tensors[made.index];
    if (now.data != made.memory.data()) continue;
    now.data = nullptr;
    now.allocation_type = made.allocation_type;
  }
}

}  // namespace mbnn
