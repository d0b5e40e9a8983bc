// All of LCE's operators are claimed, and of TFLite's own the element-wise float ones and maximum pools that stand next to
// them: those that alone use what a binary convolution or another claimed one made, and those whose result only goes to
// a sign. A product of two matrices is claimed where both are signs that LceDequantize unpacked.
#include "delegate/claim.h"

#include "delegate/elementwise.h"

namespace mbnn {
namespace {

struct Candidate {
  int node;
  const OperatorType* type;
  TfLiteNode* options;
  bool claimed;
};

struct TensorUse {
  int readers;
  bool made_here;   // by a claimed operator, in float32
  bool unpacked;    // by LceDequantize, to float32
  bool signs_only;  // all readers are LceQuantize, or claimed on the way to it
};

class Claim {
 public:
  explicit Claim(TfLiteContext* context) : context_(context) {}

  bool find(const TfLiteIntArray& plan) {
    if (!candidates_.allocate(plan.size) || !tensors_.allocate(context_->tensors_size)) return false;
    for (TensorUse& tensor : tensors_) tensor.signs_only = true;
    for (int i = 0; i < plan.size; ++i) {
      // Later calls to the runtime overwrite neither `plan`, which is a copy, nor the nodes.
      if (!look_at(plan.data[i])) return false;
    }
    for (Candidate& candidate : candidates_) claim_forward(candidate);
    for (size_t i = candidates_.size(); i-- > 0;) claim_backward(candidates_[i]);
    return true;
  }

  // Into an array that is one longer than the plan.
  void write(int* to) const {
    int* size = to++;
    *size = 0;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      if (candidates_[i].claimed) to[(*size)++] = candidates_[i].node;
    }
  }

 private:
  bool look_at(int node) {
    Candidate& candidate = candidates_[count_++];
    TfLiteRegistration* registration = nullptr;
    if (context_->GetNodeAndRegistration(context_, node, &candidate.options, &registration) != kTfLiteOk) return false;
    candidate.node = node;
    candidate.type = find_operator(*registration);
    for_inputs(candidate, [](TensorUse& tensor) { ++tensor.readers; });
    return true;
  }

  template <class Body>
  void for_inputs(const Candidate& candidate, const Body& body) {
    const TfLiteIntArray& inputs = *candidate.options->inputs;
    for (int i = 0; i < inputs.size; ++i) {
      if (TensorUse* tensor = use(inputs.data[i])) body(*tensor);
    }
  }

  TensorUse* use(int index) {
    return index >= 0 && static_cast<size_t>(index) < tensors_.size() ? &tensors_[index] : nullptr;
  }

  TensorUse* output_of(const Candidate& candidate) {
    const TfLiteIntArray& outputs = *candidate.options->outputs;
    return outputs.size == 1 ? use(outputs.data[0]) : nullptr;
  }

  bool is_float(const Candidate& candidate) {
    return context_->tensors[candidate.options->outputs->data[0]].type == kTfLiteFloat32;
  }

  // With the shapes that the runtime knows now.
  bool supported(Candidate& candidate) {
    if (candidate.type == nullptr || !is_builtin(*candidate.type)) return false;
    if (output_of(candidate) == nullptr || !is_float(candidate)) return false;
    const TfLiteIntArray& indices = *candidate.options->inputs;
    if (indices.size < 1 || indices.size > 2) return false;
    Tensor inputs[2];
    const Tensor* pointers[2] = {&inputs[0], &inputs[1]};
    for (int i = 0; i < indices.size; ++i) {
      if (use(indices.data[i]) == nullptr) return false;
      refresh(context_->tensors[indices.data[i]], &inputs[i]);
    }
    if (candidate.type == &kBatchMatMul) {
      return is_product_of_signs(candidate) && supports_batch_mat_mul(*candidate.options, inputs[0], inputs[1]);
    }
    if (candidate.type == &kMaxPool2d) {
      return supports_max_pool(*candidate.options) && inputs[0].type == kTfLiteFloat32 && inputs[0].rank == 4;
    }
    return supports_elementwise(*candidate.type, *candidate.options, pointers, indices.size);
  }

  bool is_product_of_signs(const Candidate& candidate) {
    bool unpacked = candidate.options->inputs->size == 2;
    for_inputs(candidate, [&](const TensorUse& tensor) { unpacked &= tensor.unpacked; });
    return unpacked;
  }

  void claim_forward(Candidate& candidate) {
    if (candidate.type == nullptr) return;
    if (!is_builtin(*candidate.type)) {
      candidate.claimed = true;
    } else {
      bool continues = is_product_of_signs(candidate);
      for_inputs(candidate, [&](TensorUse& tensor) { continues |= tensor.made_here && tensor.readers == 1; });
      candidate.claimed = continues && supported(candidate);
    }
    TensorUse* output = candidate.claimed ? output_of(candidate) : nullptr;
    if (output == nullptr || !is_float(candidate)) return;
    (candidate.type == &kDequantize ? output->unpacked : output->made_here) = true;
  }

  void claim_backward(Candidate& candidate) {
    const TensorUse* output = output_of(candidate);
    if (!candidate.claimed && output != nullptr && output->readers > 0 && output->signs_only) {
      candidate.claimed = supported(candidate);
      if (candidate.claimed) return;
    }
    if (candidate.type == &kQuantize) return;
    for_inputs(candidate, [](TensorUse& tensor) { tensor.signs_only = false; });
  }

  TfLiteContext* context_;
  Array<Candidate> candidates_;
  Array<TensorUse> tensors_;
  size_t count_ = 0;
};

}  // namespace

bool claim_nodes(TfLiteContext* context, Array<int>* claimed) {
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk) return false;
  const size_t size = static_cast<size_t>(plan->size) + 1;
  Array<int> copy;
  Claim claim(context);
  if (!copy.allocate(size) || !claimed->allocate(size)) {
    context->ReportError(context, "mobile_bnn: out of memory");
    return false;
  }
  memcpy(copy.data(), plan, sizeof(int) * size);
  if (!claim.find(*reinterpret_cast<const TfLiteIntArray*>(copy.data()))) {
    context->ReportError(context, "mobile_bnn: cannot read the model's operators");
    return false;
  }
  claim.write(claimed->data());
  return true;
}

}  // namespace mbnn
