// The fake runtime; its models are read by fake_model_format.h.
#include "fake_runtime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>

#include "fake_model_format.h"

namespace mbnn::fuzz {
namespace {

enum { kArenaRw = 2, kDynamic = 4 };  // more of TfLiteAllocationType

// Only formats, so that a sanitizer sees what the format reads.
void report_error(TfLiteContext*, const char* format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
}

bool is_constant(const TfLiteTensor& tensor) { return tensor.allocation_type == kTfLiteMmapRo; }

}  // namespace

FakeRuntime::FakeRuntime() {
  context_.impl = this;
  context_.ReportError = report_error;
  context_.GetExecutionPlan = [](TfLiteContext* context, TfLiteIntArray** plan) {
    FakeRuntime& runtime = of(context);
    runtime.plan_copy_ = IntArray(runtime.plan_);
    *plan = runtime.plan_copy_.abi();
    return kTfLiteOk;
  };
  context_.GetNodeAndRegistration = [](TfLiteContext* context, int index, TfLiteNode** node,
                                       TfLiteRegistration** registration) {
    FakeRuntime& runtime = of(context);
    if (index < 0 || static_cast<size_t>(index) >= runtime.nodes_.size()) return kTfLiteError;
    *node = &runtime.nodes_[index]->abi;
    *registration = &runtime.nodes_[index]->registration;
    return kTfLiteOk;
  };
  context_.ResizeTensor = [](TfLiteContext* context, TfLiteTensor* tensor, TfLiteIntArray* shape) {
    const std::vector<int> copy(shape->data, shape->data + shape->size);
    free(shape);
    return of(context).resize(*tensor, copy) ? kTfLiteOk : kTfLiteError;
  };
  context_.ReplaceNodeSubsetsWithDelegateKernels = [](TfLiteContext* context, TfLiteRegistration registration,
                                                      const TfLiteIntArray* nodes, TfLiteDelegate* delegate) {
    return of(context).replace(registration, nodes, delegate);
  };
}

FakeRuntime::~FakeRuntime() {
  for (auto& node : nodes_) {
    if (node->is_kernel && node->abi.user_data != nullptr) node->registration.free(&context_, node->abi.user_data);
  }
}

bool FakeRuntime::load(ByteReader& model) {
  tensors_.resize(1 + model.below(kMostTensors));
  memory_.resize(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!load_tensor(model, tensors_[i], memory_[i])) return false;
  }
  context_.tensors = tensors_.data();
  context_.tensors_size = tensors_.size();
  const int nodes = model.below(kMostNodes);
  for (int i = 0; i < nodes; ++i) load_node(model);
  return true;
}

bool FakeRuntime::load_tensor(ByteReader& model, TfLiteTensor& tensor, Memory& memory) {
  tensor.type = kTypes[model.below(sizeof kTypes / sizeof *kTypes)];
  const uint8_t flags = model.byte();
  memory.is_output = flags & 2;
  memory.changes_shape = flags & 4;
  memory.dims = IntArray(read_shape(model));
  tensor.dims = memory.dims.abi();
  tensor.params.scale = kScales[model.below(8)];
  tensor.params.zero_point = kZeroPoints[model.below(8)];
  memory.fill = model.byte();
  tensor.allocation_type = flags & 1 ? kTfLiteMmapRo : kArenaRw;
  if (is_constant(tensor)) {
    load_constant(model, tensor, memory);
    return true;
  }
  return bytes_required(tensor.type, memory.dims.values(), &tensor.bytes);
}

// Says how many bytes the file really has: 0 is honest, 255 is a null pointer; and whether they are misaligned.
void FakeRuntime::load_constant(ByteReader& model, TfLiteTensor& tensor, Memory& memory) {
  const uint8_t share = model.byte();
  const size_t misaligned = model.byte() == 1 ? 1 : 0;
  size_t bytes;
  if (!bytes_required(tensor.type, memory.dims.values(), &bytes) || bytes > kMostFileBytes) bytes = 64;
  if (share != 0) bytes = bytes * (255 - share) / 255;
  tensor.bytes = bytes;
  if (bytes == 0) return;
  memory.block.reset(new uint8_t[bytes + misaligned]);
  tensor.data = memory.block.get() + misaligned;
  fill(memory.block.get(), bytes + misaligned, memory.fill);
}

void FakeRuntime::load_node(ByteReader& model) {
  auto node = std::make_unique<Node>();
  const Kind& kind = kKinds[model.below(sizeof kKinds / sizeof *kKinds)];
  node->registration.builtin_code = kind.builtin_code;
  node->registration.custom_name = kind.custom_name;
  const auto read_indices = [&](int most) {
    std::vector<int> indices(model.below(most));
    // 255 is an optional tensor that was left out.
    for (int& index : indices) {
      const int byte = model.byte();
      index = byte == 255 ? kTfLiteOptionalTensor : byte % static_cast<int>(tensors_.size());
    }
    return IntArray(indices);
  };
  node->inputs = read_indices(kMostInputs);
  node->outputs = read_indices(kMostOutputs);
  node->abi.inputs = node->inputs.abi();
  node->abi.outputs = node->outputs.abi();
  for (int index : node->outputs.values()) {
    if (index >= 0) memory_[index].written = true;
  }
  if (kind.builtin_code == kTfLiteBuiltinCustom) {
    node->options = model.bytes(model.two_bytes() % 1024);
    node->options.shrink_to_fit();
    node->abi.custom_initial_data = node->options.empty() ? nullptr : node->options.data();
    node->abi.custom_initial_data_size = static_cast<int>(node->options.size());
  } else {
    node->builtin_data = read_builtin_options(kind.builtin_code, model);
    node->abi.builtin_data = node->builtin_data.data();
  }
  plan_.push_back(static_cast<int>(nodes_.size()));
  nodes_.push_back(std::move(node));
}

bool FakeRuntime::modify_graph(TfLiteDelegate* delegate) { return delegate->Prepare(&context_, delegate) == kTfLiteOk; }

bool FakeRuntime::is_ready(const Node& node, const std::vector<bool>& ready) const {
  const std::vector<int> inputs = node.inputs.values();
  return std::all_of(inputs.begin(), inputs.end(), [&](int index) { return index < 0 || ready[index]; });
}

// As the runtime does it: as many operators of a kind as can run, then as many of the other, and so on.
bool FakeRuntime::partition(const std::vector<bool>& replaced, std::vector<Subset>* subsets) const {
  std::vector<bool> ready(tensors_.size()), placed(nodes_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) ready[i] = !memory_[i].written;
  for (size_t left = plan_.size(); left > 0;) {
    const size_t before = left;
    for (int index : plan_) {
      const Node& node = *nodes_[index];
      if (placed[index] || !is_ready(node, ready)) continue;
      if (left == before) subsets->push_back({replaced[index], {}});
      if (subsets->back().replaced != replaced[index]) continue;
      subsets->back().nodes.push_back(index);
      placed[index] = true;
      --left;
      for (int output : node.outputs.values()) {
        if (output >= 0) ready[output] = true;
      }
    }
    if (left == before) return false;  // a cycle
  }
  return true;
}

TfLiteStatus FakeRuntime::replace(const TfLiteRegistration& registration, const TfLiteIntArray* wanted,
                                  TfLiteDelegate* delegate) {
  std::vector<bool> replaced(nodes_.size());
  for (int i = 0; i < wanted->size; ++i) replaced.at(wanted->data[i]) = true;
  std::vector<Subset> subsets;
  if (!partition(replaced, &subsets)) return kTfLiteError;
  plan_.clear();
  // A tensor that several subsets write is the output of the last.
  for (size_t i = 0; i < subsets.size(); ++i) {
    for (int index : subsets[i].nodes) {
      for (int output : nodes_[index]->outputs.values()) {
        if (output >= 0) memory_[output].last_writer = &subsets[i];
      }
    }
  }
  for (const Subset& subset : subsets) {
    if (subset.replaced) {
      plan_.push_back(add_kernel(registration, subset, delegate));
    } else {
      plan_.insert(plan_.end(), subset.nodes.begin(), subset.nodes.end());
    }
  }
  return kTfLiteOk;
}

int FakeRuntime::add_kernel(const TfLiteRegistration& registration, const Subset& subset, TfLiteDelegate* delegate) {
  std::vector<bool> written(tensors_.size()), read(tensors_.size()), read_outside(tensors_.size());
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const bool inside = std::count(subset.nodes.begin(), subset.nodes.end(), static_cast<int>(i)) != 0;
    for (int index : nodes_[i]->inputs.values()) {
      if (index >= 0) (inside ? read : read_outside)[index] = true;
    }
    for (int index : nodes_[i]->outputs.values()) {
      if (index >= 0 && inside) written[index] = true;
    }
  }
  std::vector<int> inputs, outputs;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (read[i] && !written[i]) inputs.push_back(static_cast<int>(i));
    const bool is_seen = read_outside[i] || memory_[i].is_output;
    if (memory_[i].last_writer == &subset && is_seen) outputs.push_back(static_cast<int>(i));
  }
  auto node = std::make_unique<Node>();
  node->registration = registration;
  node->is_kernel = true;
  node->inputs = IntArray(inputs);
  node->outputs = IntArray(outputs);
  node->abi.inputs = node->inputs.abi();
  node->abi.outputs = node->outputs.abi();
  node->abi.delegate = delegate;
  IntArray replaced(subset.nodes);
  TfLiteDelegateParams params = {delegate, replaced.abi(), node->abi.inputs, node->abi.outputs};
  node->abi.user_data = registration.init(&context_, reinterpret_cast<const char*>(&params), 0);
  nodes_.push_back(std::move(node));
  return static_cast<int>(nodes_.size()) - 1;
}

bool FakeRuntime::resize(TfLiteTensor& tensor, const std::vector<int>& shape) {
  const size_t index = static_cast<size_t>(&tensor - tensors_.data());
  if (is_constant(tensor) || !bytes_required(tensor.type, shape, &tensor.bytes)) return false;
  memory_[index].dims = IntArray(shape);
  tensor.dims = memory_[index].dims.abi();
  memory_[index].block.reset();
  return tensor.allocation_type != kDynamic || allocate(index);
}

// Changes the shape of one tensor that nothing writes.
bool FakeRuntime::resize_input(ByteReader& changes) {
  const size_t index = static_cast<size_t>(changes.below(static_cast<int>(tensors_.size())));
  const std::vector<int> shape = read_shape(changes);
  return memory_[index].written || is_constant(tensors_[index]) || resize(tensors_[index], shape);
}

// New memory of just the size that the runtime promises. What was there before is gone, though `data` pointed to it.
bool FakeRuntime::allocate(size_t index) {
  TfLiteTensor& tensor = tensors_[index];
  if (tensor.bytes > kMostBytes) return false;
  memory_[index].block.reset(tensor.bytes == 0 ? nullptr : new uint8_t[tensor.bytes]);
  tensor.data = memory_[index].block.get();
  fill(memory_[index].block.get(), tensor.bytes, memory_[index].fill);
  return true;
}

bool FakeRuntime::allocate_tensors() {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (!is_constant(tensors_[i])) memory_[i].block.reset();
  }
  return prepare_from(0);
}

// Prepares nodes up to the first whose output's shape is known only once it ran, then gives their tensors memory.
bool FakeRuntime::prepare_from(size_t position) {
  std::vector<bool> used(tensors_.size());
  bool stop = false;
  for (prepared_ = position; prepared_ < plan_.size() && !stop; ++prepared_) {
    Node& node = *nodes_[plan_[prepared_]];
    if (node.is_kernel && node.registration.prepare(&context_, &node.abi) != kTfLiteOk) return false;
    for (int index : node.inputs.values()) {
      if (index >= 0) used[index] = true;
    }
    for (int index : node.outputs.values()) {
      if (index < 0) continue;
      used[index] = true;
      if (node.is_kernel || !memory_[index].changes_shape || is_constant(tensors_[index])) continue;
      tensors_[index].allocation_type = kDynamic;
      stop = true;
    }
  }
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (used[i] && memory_[i].block == nullptr && tensors_[i].allocation_type == kArenaRw && !allocate(i)) return false;
  }
  return true;
}

bool FakeRuntime::invoke() {
  for (size_t position = 0; position < plan_.size(); ++position) {
    if (position == prepared_ && !prepare_from(position)) return false;
    Node& node = *nodes_[plan_[position]];
    if (node.is_kernel) {
      if (node.registration.invoke(&context_, &node.abi) != kTfLiteOk) return false;
      continue;
    }
    if (!run_foreign(node)) return false;
    const std::vector<int> outputs = node.outputs.values();
    const bool dynamic = std::any_of(outputs.begin(), outputs.end(), [&](int index) {
      return index >= 0 && tensors_[index].allocation_type == kDynamic;
    });
    if (dynamic) prepared_ = position + 1;
  }
  return true;
}

// An operator that the delegate leaves alone; a dynamic output has one row more each time.
bool FakeRuntime::run_foreign(Node& node) {
  for (int index : node.outputs.values()) {
    if (index < 0 || tensors_[index].allocation_type != kDynamic) continue;
    std::vector<int> shape = memory_[index].dims.values();
    if (!shape.empty() && shape[0] >= 0 && shape[0] < 8) ++shape[0];
    if (!resize(tensors_[index], shape)) return false;
  }
  return true;
}

}  // namespace mbnn::fuzz
