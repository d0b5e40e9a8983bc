// ADD, SUB, MUL, PRELU and the RELUs on float32: fused after a binary convolution, or on their own.
#include "delegate/elementwise.h"

#include <math.h>

#include "delegate/repeated.h"

namespace mbnn {
namespace {

bool is_binary(const OperatorType& type) { return &type == &kAdd || &type == &kSub || &type == &kMul; }
int inputs_of(const OperatorType& type) { return is_binary(type) || &type == &kPrelu ? 2 : 1; }

Step::Kind step_kind(const OperatorType& type, int source) {
  if (&type == &kMul) return Step::kMultiply;
  if (&type == &kPrelu) return Step::kPrelu;
  if (&type == &kAdd) return Step::kAdd;
  return source == 0 ? Step::kSubtract : Step::kSubtractFrom;
}

// As a fused activation: the operator's own, or that of its options.
int activation_of(const OperatorType& type, const TfLiteNode& node) {
  if (&type == &kRelu) return kTfLiteActRelu;
  if (&type == &kReluN1To1) return kTfLiteActReluN1To1;
  if (&type == &kRelu6) return kTfLiteActRelu6;
  if (!is_binary(type)) return kTfLiteActNone;
  return node.builtin_data == nullptr ? -1 : static_cast<const TfLiteArithmeticParams*>(node.builtin_data)->activation;
}

bool is_known(int activation) { return activation >= kTfLiteActNone && activation <= kTfLiteActRelu6; }

// Whether the steps of a fusion can go from input number `source` to the result: it has the result's shape, and the other
// input's rows are where they look for them.
bool can_start_at(const OperatorType& type, const NodeView& node, int source) {
  if (inputs_of(type) == 1) return source == 0;
  if (source != 0 && !is_binary(type)) return false;
  const Tensor& operand = *node.inputs[1 - source];
  Broadcast broadcast;
  return broadcast.match(operand, *node.inputs[source]) && (operand.constant || !broadcast.is_scalar());
}

struct Elementwise {
  int activation = kTfLiteActNone;
  const Tensor* start = nullptr;  // of the steps: an input or its copy
  // Of inputs that have not the result's shape, where the steps cannot start at either input.
  Repeated copies[2];
  bool copied[2] = {};

  bool parse(const OperatorType& type, const TfLiteNode& from, NodeView& node, const Reporter& reporter) {
    activation = activation_of(type, from);
    return supports_elementwise(type, from, node.inputs, node.input_count) ||
           reporter.fail("its inputs cannot be broadcast here");
  }

  bool prepare(const OperatorType& type, NodeView& node, const Reporter& reporter) {
    for (int i = 0; i < node.input_count; ++i) {
      if (node.inputs[i]->type != kTfLiteFloat32 || node.output->type != kTfLiteFloat32) {
        return reporter.fail("inputs and output must be float32");
      }
      if (!check_size(*node.inputs[i], reporter)) return false;
    }
    if (!set_shape(type, node, reporter) || !check_size(*node.output, reporter)) return false;
    copied[0] = copied[1] = false;
    for (int source = 0; source < node.input_count; ++source) {
      if (!can_start_at(type, node, source)) continue;
      start = node.inputs[source];
      add_steps(type, source, node.input_count == 2 ? node.inputs[1 - source] : nullptr, &node.fusion);
      return true;
    }
    for (int i = 0; i < node.input_count; ++i) {
      copied[i] = !same_shape(*node.inputs[i], *node.output);
      if (copied[i] && !copies[i].prepare(*node.inputs[i], *node.output)) return reporter.fail("out of memory");
    }
    start = value_of(node, 0);
    add_steps(type, 0, value_of(node, 1), &node.fusion);
    return true;
  }

  // From input number `source` to the result, with the other input, which may be null, as `operand`. There is room.
  void add_steps(const OperatorType& type, int source, const Tensor* operand, Fusion* fusion) const {
    if (operand != nullptr) fusion->add_step(step_kind(type, source), operand);
    if (activation == kTfLiteActNone) return;
    const float low = activation == kTfLiteActReluN1To1 ? -1.0f : 0.0f;
    const float high = activation == kTfLiteActRelu ? INFINITY : activation == kTfLiteActRelu6 ? 6.0f : 1.0f;
    fusion->add_clamp(low, high);
  }

  bool run(const NodeView& node, Machine& machine, const Reporter&) {
    for (int i = 0; i < node.input_count; ++i) {
      if (copied[i]) copies[i].fill(*node.inputs[i]);
    }
    const Tensor& in = *start;
    Epilogue epilogue;
    node.fusion.fill(in.channels(), &epilogue);
    split(machine.pool, in.rows(), [&](int64_t first, int64_t last) {
      machine.kernels->elementwise(epilogue, in.as<float>(), first, last);
    });
    return true;
  }

 private:
  const Tensor* value_of(const NodeView& node, int input) const {
    return copied[input] ? &copies[input].tensor() : node.inputs[input];
  }

  static bool set_shape(const OperatorType& type, NodeView& node, const Reporter& reporter) {
    const Tensor& in = *node.inputs[0];
    if (node.input_count == 1) {
      node.output->set_shape(in);
      return true;
    }
    const Tensor& other = *node.inputs[1];
    const bool fits = broadcast_shape(in, other, node.output) && (is_binary(type) || same_shape(in, *node.output));
    return fits || reporter.fail("the shape of tensor %d does not fit that of tensor %d", other.index, in.index);
  }
};

// The state knows which operator it is of by its type alone.
template <const OperatorType* type>
struct ElementwiseOf : Elementwise {
  bool parse(const TfLiteNode& from, NodeView& node, const Reporter& reporter) {
    return Elementwise::parse(*type, from, node, reporter);
  }
  bool prepare(NodeView& node, const Machine&, const Reporter& reporter) {
    return Elementwise::prepare(*type, node, reporter);
  }
};

}  // namespace

constexpr OperatorType kAdd = operator_type<ElementwiseOf<&kAdd>>("ADD", kTfLiteBuiltinAdd);
constexpr OperatorType kSub = operator_type<ElementwiseOf<&kSub>>("SUB", kTfLiteBuiltinSub);
constexpr OperatorType kMul = operator_type<ElementwiseOf<&kMul>>("MUL", kTfLiteBuiltinMul);
constexpr OperatorType kPrelu = operator_type<ElementwiseOf<&kPrelu>>("PRELU", kTfLiteBuiltinPrelu);
constexpr OperatorType kRelu = operator_type<ElementwiseOf<&kRelu>>("RELU", kTfLiteBuiltinRelu);
constexpr OperatorType kReluN1To1 = operator_type<ElementwiseOf<&kReluN1To1>>("RELU_N1_TO_1", kTfLiteBuiltinReluN1To1);
constexpr OperatorType kRelu6 = operator_type<ElementwiseOf<&kRelu6>>("RELU6", kTfLiteBuiltinRelu6);

bool is_elementwise(const OperatorType& type) { return is_builtin(type) && &type != &kMaxPool2d && &type != &kBatchMatMul; }

bool supports_elementwise(const OperatorType& type, const TfLiteNode& node, const Tensor* const* inputs,
                          int input_count) {
  if (input_count != inputs_of(type) || !is_known(activation_of(type, node))) return false;
  for (int i = 0; i < input_count; ++i) {
    const Tensor* in = inputs[i];
    if (in == nullptr || in->type != kTfLiteFloat32 || in->rank < 1 || in->rank > kMaxRank) return false;
  }
  if (input_count == 1) return !inputs[0]->constant;
  Broadcast broadcast;
  const bool second = is_binary(type) && (inputs[0]->constant || !broadcast.match(*inputs[1], *inputs[0]));
  const Tensor& source = *inputs[second];
  const Tensor& operand = *inputs[!second];
  if (source.constant || !broadcast.match(operand, source)) return false;
  // With a constant of the rows of one image, a larger batch would be run through a copy of it.
  return operand.constant ? broadcast.rows_per_operand_row() == 0 : !broadcast.is_scalar();
}

bool add_elementwise(const OperatorType& type, const void* state, const NodeView& node, int source, Fusion* fusion) {
  const Elementwise& self = *static_cast<const Elementwise*>(state);
  const bool has_operand = inputs_of(type) == 2;
  const bool clamps = self.activation != kTfLiteActNone;
  if (fusion->count + has_operand + clamps > Epilogue::kMaxSteps || !can_start_at(type, node, source)) return false;
  self.add_steps(type, source, has_operand ? node.inputs[1 - source] : nullptr, fusion);
  return true;
}

}  // namespace mbnn
