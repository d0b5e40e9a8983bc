// The delegate kernel. Tensors between two operators of a partition are not allocated by the runtime: they live here.
#include "delegate/partition.h"

#include <stdio.h>
#include <time.h>

#include "delegate/expanded.h"
#include "delegate/graph.h"

namespace mbnn {
namespace {

bool contains(const TfLiteIntArray* indices, int index) {
  for (int i = 0; i < indices->size; ++i) {
    if (indices->data[i] == index) return true;
  }
  return false;
}

class Partition {
 public:
  Partition() = default;
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;
  // Errors of init are reported there and returned by prepare: runtimes differ in what init may return.
  void init(TfLiteContext* context, const TfLiteDelegateParams& params) {
    machine_ = static_cast<Machine*>(params.delegate->data);
    subgraph_ = machine_->subgraphs.find(context);
    const size_t nodes = static_cast<size_t>(params.nodes_to_replace->size);
    if (!graph_.operators.allocate(nodes) || !graph_.tensors.allocate(nodes * (NodeView::kMaxInputs + 1))) {
      out_of_memory(context);
      return;
    }
    for (size_t i = 0; i < nodes; ++i) {
      if (!add(context, params, params.nodes_to_replace->data[i])) return;
    }
    initialized_ = expanded_.expand(context, graph_, *machine_);
  }

  void undo(TfLiteContext* context) { expanded_.undo(context); }

  TfLiteStatus prepare(TfLiteContext* context) {
    if (!initialized_) return kTfLiteError;
    for (Tensor& tensor : graph_.tensors) {
      if (tensor.from_runtime) refresh(context->tensors[tensor.index], &tensor);
    }
    for (Operator& op : graph_.operators) {
      if (!op.done && !find_shape(context, op)) return kTfLiteError;
    }
    // What can be fused depends on the shapes.
    if (!fuse(graph_)) return out_of_memory(context);
    for (size_t i = 0; i < graph_.running; ++i) {
      if (!prepare_outputs(context, *graph_.order[i])) return kTfLiteError;
    }
    return plan_memory(graph_, memory_) ? kTfLiteOk : out_of_memory(context);
  }

  TfLiteStatus invoke(TfLiteContext* context) {
    for (Tensor& tensor : graph_.tensors) {
      if (!tensor.from_runtime) continue;
      const TfLiteTensor& now = context->tensors[tensor.index];
      tensor.data = now.data;
      if (tensor.data == nullptr) {
        context->ReportError(context, "mobile_bnn: tensor %d has no memory", tensor.index);
        return kTfLiteError;
      }
      // A file may let operators outside this partition write the same tensor, in another shape.
      if (now.bytes < tensor.bytes) {
        context->ReportError(context, "mobile_bnn: tensor %d is smaller than it was", tensor.index);
        return kTfLiteError;
      }
    }
    const bool profiled = machine_->is_profiled();
    for (size_t i = 0; i < graph_.running; ++i) {
      const Operator& op = *graph_.order[i];
      const int64_t start = profiled ? nanoseconds() : 0;
      if (!op.type->run(op.state, op.view, *machine_, op.reporter(context))) return kTfLiteError;
      if (profiled) write_profile(op, nanoseconds() - start);
    }
    if (profiled) fflush(machine_->profile);
    ++inference_;
    return kTfLiteOk;
  }

 private:
  static TfLiteStatus out_of_memory(TfLiteContext* context) {
    context->ReportError(context, "mobile_bnn: out of memory");
    return kTfLiteError;
  }

  static int64_t nanoseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
  }

  // The number of the inference, the operator's place in the subgraph's plan (after the number of the subgraph and a
  // colon, unless that is the main one), its name and those fused into it, its time.
  void write_profile(const Operator& op, int64_t elapsed) {
    fprintf(machine_->profile, "%llu\t", static_cast<unsigned long long>(inference_));
    if (subgraph_ != 0) fprintf(machine_->profile, "%d:", subgraph_);
    fprintf(machine_->profile, "%d\t%s", op.node, op.type->name);
    for (const Operator& other : graph_.operators) {
      if (other.fused_into == &op) fprintf(machine_->profile, "+%s", other.type->name);
    }
    fprintf(machine_->profile, "\t%lld\n", static_cast<long long>(elapsed));
  }

  Tensor* find(int index) {
    for (Tensor& tensor : graph_.tensors) {
      if (tensor.index == index) return &tensor;
    }
    return nullptr;
  }

  Tensor* add_tensor(TfLiteContext* context, int index, bool from_runtime) {
    Tensor* tensor = graph_.tensors.add();
    tensor->index = index;
    tensor->from_runtime = from_runtime;
    refresh(context->tensors[index], tensor);
    if (!from_runtime) tensor->data = nullptr;
    return tensor;
  }

  bool add(TfLiteContext* context, const TfLiteDelegateParams& params, int node_index) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, node_index, &node, &registration) != kTfLiteOk) return false;
    Operator* op = graph_.operators.add();
    op->type = find_operator(*registration);
    op->node = node_index;
    const Reporter reporter = op->reporter(context);
    op->state = op->type->create();
    if (op->state == nullptr) return reporter.fail("out of memory");
    op->view.tap_tables = &tap_tables_;
    if (!add_inputs(context, *node->inputs, &op->view, reporter)) return false;
    if (op->type == &kBatchMatMul) read_packed(&op->view);
    return add_output(context, params, *node->outputs, &op->view, reporter) &&
           op->type->parse(op->state, *node, op->view, reporter);
  }

  bool add_inputs(TfLiteContext* context, const TfLiteIntArray& inputs, NodeView* view, const Reporter& reporter) {
    if (inputs.size > NodeView::kMaxInputs) return reporter.fail("has %d inputs", inputs.size);
    view->input_count = inputs.size;
    for (int i = 0; i < inputs.size; ++i) {
      const int index = inputs.data[i];
      if (index == kTfLiteOptionalTensor) continue;
      if (!in_range(context, index)) return reporter.fail("input %d is tensor %d, which is not there", i, index);
      Tensor* tensor = find(index);
      // Not yet seen as an output of this partition, so it comes from outside.
      if (tensor == nullptr) tensor = add_tensor(context, index, true);
      ++tensor->uses;
      view->inputs[i] = tensor;
    }
    return true;
  }

  // Lets a product read its operands as they were before LceDequantize, after those that the file names.
  void read_packed(NodeView* view) {
    if (view->input_count != 2) return;
    view->input_count = 4;
    for (int i = 0; i < 2; ++i) {
      Tensor* packed = packed_form(view->inputs[i]);
      if (packed == nullptr) continue;
      --view->inputs[i]->uses;
      ++packed->uses;
      view->inputs[2 + i] = packed;
    }
  }

  Tensor* packed_form(const Tensor* signs) {
    const Operator* op = signs == nullptr ? nullptr : maker_of(*signs);
    if (op == nullptr || op->type != &kDequantize || op->view.input_count != 1) return nullptr;
    Tensor* packed = op->view.inputs[0];
    if (packed == nullptr) return nullptr;
    // A product counts all bits of a word, and only operators here are known to clear those past the last channel.
    const bool whole_words = signs->rank > 0 && signs->channels() % kWordBits == 0;
    return whole_words || maker_of(*packed) != nullptr ? packed : nullptr;
  }

  const Operator* maker_of(const Tensor& tensor) {
    for (const Operator& op : graph_.operators) {
      if (op.view.output == &tensor) return &op;
    }
    return nullptr;
  }

  bool add_output(TfLiteContext* context, const TfLiteDelegateParams& params, const TfLiteIntArray& outputs,
                  NodeView* view, const Reporter& reporter) {
    if (outputs.size != 1) return reporter.fail("has %d outputs, not one", outputs.size);
    const int index = outputs.data[0];
    if (!in_range(context, index)) return reporter.fail("the output is tensor %d, which is not there", index);
    // A tensor that is read before it is written, or written twice, could change its shape under a prepared operator.
    if (find(index) != nullptr) return reporter.fail("the output, tensor %d, is in use already", index);
    view->output = view->fusion.stored = add_tensor(context, index, contains(params.output_tensors, index));
    return !view->output->constant || reporter.fail("the output, tensor %d, is a constant", index);
  }

  static bool in_range(const TfLiteContext* context, int index) {
    return index >= 0 && static_cast<size_t>(index) < context->tensors_size;
  }

  bool find_shape(TfLiteContext* context, Operator& op) {
    const Reporter reporter = op.reporter(context);
    op.view.fusion.reset(op.view.output);
    return op.type->prepare(op.state, op.view, *machine_, reporter) && check_size(*op.view.output, reporter);
  }

  bool prepare_outputs(TfLiteContext* context, Operator& op) {
    const Reporter reporter = op.reporter(context);
    NodeView& view = op.view;
    if (!view.fusion.prepare(*view.output, reporter)) return false;
    Tensor* const outputs[] = {view.fusion.stored, view.fusion.packed};
    for (Tensor* made : outputs) {
      if (made == nullptr || !made->from_runtime) continue;
      if (!resize(context, *made)) return reporter.fail("the output cannot be resized");
      made->bytes = context->tensors[made->index].bytes;
    }
    return true;
  }

  static bool resize(TfLiteContext* context, const Tensor& tensor) {
    const size_t bytes = sizeof(int) * tensor.rank;
    auto* shape = static_cast<TfLiteIntArray*>(malloc(sizeof(TfLiteIntArray) + bytes));
    if (shape == nullptr) return false;
    shape->size = tensor.rank;
    memcpy(shape->data, tensor.dims, bytes);
    return context->ResizeTensor(context, &context->tensors[tensor.index], shape) == kTfLiteOk;
  }

  Machine* machine_ = nullptr;
  int subgraph_ = 0;
  bool initialized_ = false;
  uint64_t inference_ = 0;
  TapTables tap_tables_;  // outlives the operators, which release theirs
  Graph graph_;
  Expanded expanded_;
  Array<uint8_t> memory_;  // of the tensors that only this partition sees
};

}  // namespace

TfLiteRegistration partition_registration() {
  TfLiteRegistration registration = {};
  registration.init = [](TfLiteContext* context, const char* buffer, size_t) -> void* {
    Partition* partition = create<Partition>();
    if (partition != nullptr) partition->init(context, *reinterpret_cast<const TfLiteDelegateParams*>(buffer));
    return partition;
  };
  registration.free = [](TfLiteContext* context, void* state) {
    Partition* partition = static_cast<Partition*>(state);
    if (partition != nullptr) partition->undo(context);
    destroy(partition);
  };
  registration.prepare = [](TfLiteContext* context, TfLiteNode* node) {
    Partition* partition = static_cast<Partition*>(node->user_data);
    return partition == nullptr ? kTfLiteError : partition->prepare(context);
  };
  registration.invoke = [](TfLiteContext* context, TfLiteNode* node) {
    return static_cast<Partition*>(node->user_data)->invoke(context);
  };
  registration.custom_name = "mobile_bnn";
  registration.version = 1;
  return registration;
}

}  // namespace mbnn
