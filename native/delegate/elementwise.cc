// ADD, SUB, MUL, PRELU and the RELUs on float32: steps of a fusion, behind a binary convolution or on their own.
#include "delegate/elementwise.h"

#include <math.h>

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

struct Elementwise {
  int activation = kTfLiteActNone;
  int source = 0;

  bool parse(const OperatorType& type, const TfLiteNode& from, NodeView& node, const Reporter& reporter) {
    const Tensor* inputs[NodeView::kMaxInputs];
    for (int i = 0; i < node.input_count; ++i) inputs[i] = node.inputs[i];
    activation = activation_of(type, from);
    return (supports_elementwise(type, from, inputs, node.input_count, &source) &&
            add_elementwise(type, this, node, source, &node.fusion)) ||
           reporter.fail("its inputs cannot be broadcast here");
  }

  bool prepare(const NodeView& node, const Machine&, const Reporter& reporter) {
    const Tensor& in = *node.inputs[source];
    if (in.type != kTfLiteFloat32 || node.output->type != kTfLiteFloat32) {
      return reporter.fail("input and output must be float32");
    }
    if (!check_size(in, reporter)) return false;
    node.output->set_shape(in);
    return true;
  }

  bool run(const NodeView& node, Machine& machine, const Reporter&) {
    const Tensor& in = *node.inputs[source];
    Epilogue epilogue;
    node.fusion.fill(in.channels(), &epilogue);
    split(machine.pool, in.rows(), [&](int64_t first, int64_t last) {
      machine.kernels->elementwise(epilogue, in.as<float>(), first, last);
    });
    return true;
  }
};

// The state knows which operator it is of by its type alone.
template <const OperatorType* type>
struct ElementwiseOf : Elementwise {
  bool parse(const TfLiteNode& from, NodeView& node, const Reporter& reporter) {
    return Elementwise::parse(*type, from, node, reporter);
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

bool is_elementwise(const OperatorType& type) { return is_builtin(type) && &type != &kMaxPool2d; }

bool supports_elementwise(const OperatorType& type, const TfLiteNode& node, const Tensor* const* inputs,
                          int input_count, int* source) {
  if (input_count != inputs_of(type) || !is_known(activation_of(type, node))) return false;
  for (int i = 0; i < input_count; ++i) {
    const Tensor* in = inputs[i];
    if (in == nullptr || in->type != kTfLiteFloat32 || in->rank < 1 || in->rank > kMaxRank) return false;
  }
  *source = 0;
  if (input_count == 1) return !inputs[0]->constant;
  Broadcast broadcast;
  const bool second = is_binary(type) && (inputs[0]->constant || !broadcast.match(*inputs[1], *inputs[0]));
  if (second) *source = 1;
  const Tensor& operand = *inputs[1 - *source];
  if (inputs[*source]->constant || !broadcast.match(operand, *inputs[*source])) return false;
  // A constant with the rows of one image would not fit a larger batch.
  return operand.constant ? broadcast.rows_per_operand_row() == 0 : !broadcast.is_scalar();
}

bool add_elementwise(const OperatorType& type, const void* state, const NodeView& node, int source, Fusion* fusion) {
  const Elementwise& self = *static_cast<const Elementwise*>(state);
  const bool has_operand = inputs_of(type) == 2;
  const bool clamps = self.activation != kTfLiteActNone;
  if (fusion->count + has_operand + clamps > Epilogue::kMaxSteps) return false;
  if (has_operand) {
    if (&type == &kPrelu && source != 0) return false;
    Broadcast broadcast;
    if (!broadcast.match(*node.inputs[1 - source], *node.inputs[source])) return false;
    fusion->add_step(step_kind(type, source), node.inputs[1 - source]);
  }
  if (!clamps) return true;
  const float low = self.activation == kTfLiteActReluN1To1 ? -1.0f : 0.0f;
  const float high = self.activation == kTfLiteActRelu ? INFINITY : self.activation == kTfLiteActRelu6 ? 6.0f : 1.0f;
  fusion->add_clamp(low, high);
  return true;
}

}  // namespace mbnn
