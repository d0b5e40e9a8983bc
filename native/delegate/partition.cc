// The delegate kernel. Tensors between two operators of a partition are not allocated by the runtime: they live here.
#include "delegate/partition.h"

namespace mbnn {
namespace {

struct Operator {
  const OperatorType* type = nullptr;
  void* state = nullptr;
  int node = 0;
  NodeView view;

  ~Operator() {
    if (state != nullptr) type->destroy(state);
  }
  Reporter reporter(TfLiteContext* context) const { return Reporter(context, type->custom_name, node); }
};

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
  ~Partition() {
    for (size_t i = 0; i < operator_count_; ++i) operators_[i].~Operator();
    for (size_t i = 0; i < tensor_count_; ++i) tensors_[i].~Tensor();
  }

  // Errors of init are reported there and returned by prepare: runtimes differ in what init may return.
  void init(TfLiteContext* context, const TfLiteDelegateParams& params) {
    machine_ = static_cast<Machine*>(params.delegate->data);
    const size_t nodes = static_cast<size_t>(params.nodes_to_replace->size);
    if (!operators_.allocate(nodes) || !tensors_.allocate(nodes * (NodeView::kMaxInputs + 1))) {
      context->ReportError(context, "mobile_bnn: out of memory");
      return;
    }
    for (size_t i = 0; i < nodes; ++i) {
      if (!add(context, params, params.nodes_to_replace->data[i])) return;
    }
    initialized_ = true;
  }

  TfLiteStatus prepare(TfLiteContext* context) {
    if (!initialized_) return kTfLiteError;
    for (size_t i = 0; i < tensor_count_; ++i) {
      if (tensors_[i].from_runtime) refresh(context, tensors_[i]);
    }
    for (size_t i = 0; i < operator_count_; ++i) {
      if (!prepare(context, operators_[i])) return kTfLiteError;
    }
    return kTfLiteOk;
  }

  TfLiteStatus invoke(TfLiteContext* context) {
    for (size_t i = 0; i < tensor_count_; ++i) {
      Tensor& tensor = tensors_[i];
      if (tensor.from_runtime) tensor.data = context->tensors[tensor.index].data;
      if (tensor.data == nullptr) {
        context->ReportError(context, "mobile_bnn: tensor %d has no memory", tensor.index);
        return kTfLiteError;
      }
    }
    for (size_t i = 0; i < operator_count_; ++i) {
      const Operator& op = operators_[i];
      if (!op.type->run(op.state, op.view, *machine_, op.reporter(context))) return kTfLiteError;
    }
    return kTfLiteOk;
  }

 private:
  // Type, shape and quantization as the runtime has them now.
  static void refresh(TfLiteContext* context, Tensor& tensor) {
    const TfLiteTensor& from = context->tensors[tensor.index];
    tensor.type = from.type;
    tensor.quantization = from.params;
    tensor.bytes = from.bytes;
    tensor.data = from.data;
    tensor.constant = from.allocation_type == kTfLiteMmapRo || from.allocation_type == kTfLitePersistentRo;
    tensor.rank = from.dims == nullptr ? 0 : from.dims->size;
    for (int i = 0; i < tensor.rank && i < kMaxRank; ++i) tensor.dims[i] = from.dims->data[i];
  }

  Tensor* find(int index) {
    for (size_t i = 0; i < tensor_count_; ++i) {
      if (tensors_[i].index == index) return &tensors_[i];
    }
    return nullptr;
  }

  Tensor* add_tensor(TfLiteContext* context, int index, bool from_runtime) {
    Tensor* tensor = new (&tensors_[tensor_count_++]) Tensor();
    tensor->index = index;
    tensor->from_runtime = from_runtime;
    refresh(context, *tensor);
    if (!from_runtime) tensor->data = nullptr;
    return tensor;
  }

  bool add(TfLiteContext* context, const TfLiteDelegateParams& params, int node_index) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    if (context->GetNodeAndRegistration(context, node_index, &node, &registration) != kTfLiteOk) return false;
    Operator* op = new (&operators_[operator_count_]) Operator();
    op->type = find_operator(registration->custom_name);
    op->node = node_index;
    ++operator_count_;
    const Reporter reporter = op->reporter(context);
    op->state = op->type->create();
    if (op->state == nullptr) return reporter.fail("out of memory");
    const int inputs = node->inputs->size;
    if (inputs > NodeView::kMaxInputs) return reporter.fail("has %d inputs", inputs);
    if (node->outputs->size != 1) return reporter.fail("has %d outputs, not one", node->outputs->size);
    op->view.input_count = inputs;
    for (int i = 0; i < inputs; ++i) {
      const int index = node->inputs->data[i];
      if (index == kTfLiteOptionalTensor) continue;
      if (!in_range(context, index)) return reporter.fail("input %d is tensor %d, which is not there", i, index);
      op->view.inputs[i] = find(index);
      // Not yet seen as an output of this partition, so it comes from outside.
      if (op->view.inputs[i] == nullptr) op->view.inputs[i] = add_tensor(context, index, true);
    }
    const int output = node->outputs->data[0];
    if (!in_range(context, output)) return reporter.fail("the output is tensor %d, which is not there", output);
    // A tensor that is read before it is written, or written twice, could change its shape under a prepared operator.
    if (find(output) != nullptr) return reporter.fail("the output, tensor %d, is in use already", output);
    op->view.output = add_tensor(context, output, contains(params.output_tensors, output));
    if (op->view.output->constant) return reporter.fail("the output, tensor %d, is a constant", output);
    const size_t size = node->custom_initial_data_size > 0 ? static_cast<size_t>(node->custom_initial_data_size) : 0;
    return op->type->parse(op->state, node->custom_initial_data, size, reporter);
  }

  static bool in_range(const TfLiteContext* context, int index) {
    return index >= 0 && static_cast<size_t>(index) < context->tensors_size;
  }

  bool prepare(TfLiteContext* context, Operator& op) {
    const Reporter reporter = op.reporter(context);
    Tensor& out = *op.view.output;
    if (!op.type->prepare(op.state, op.view, *machine_, reporter) || !check_size(out, reporter)) return false;
    if (out.from_runtime) return resize(context, out) || reporter.fail("the output cannot be resized");
    const size_t bytes = static_cast<size_t>(out.elements()) * element_bytes(out.type);
    if (bytes == out.own.size()) return true;
    if (!out.own.allocate(bytes)) return reporter.fail("out of memory");
    out.data = out.own.data();
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
  bool initialized_ = false;
  // Raw memory, of which the first *_count_ objects are alive.
  Array<Operator> operators_;
  Array<Tensor> tensors_;
  size_t operator_count_ = 0;
  size_t tensor_count_ = 0;
};

}  // namespace

TfLiteRegistration partition_registration() {
  TfLiteRegistration registration = {};
  registration.init = [](TfLiteContext* context, const char* buffer, size_t) -> void* {
    Partition* partition = create<Partition>();
    if (partition != nullptr) partition->init(context, *reinterpret_cast<const TfLiteDelegateParams*>(buffer));
    return partition;
  };
  registration.free = [](TfLiteContext*, void* partition) { destroy(static_cast<Partition*>(partition)); };
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
