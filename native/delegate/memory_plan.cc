// Places for the tensors inside a partition.
#include "delegate/elementwise.h"
#include "delegate/graph.h"

namespace mbnn {
namespace {

struct Block {
  size_t bytes;
  size_t offset;
  int first, last;  // operators between which it must keep its content
  int shares;       // the block whose memory it takes over, or -1
};

class Planner {
 public:
  explicit Planner(Graph& graph) : graph_(graph) {}

  bool run(Array<uint8_t>& memory) {
    const size_t count = graph_.tensors.size();
    if (!blocks_.allocate(count) || !by_size_.allocate(count)) return false;
    for (Block& block : blocks_) block = {0, 0, -1, -1, -1};
    for (size_t i = 0; i < graph_.running; ++i) find_lifetimes(graph_.order[i]->view, static_cast<int>(i));
    for (size_t i = 0; i < graph_.running; ++i) share_with_operand(*graph_.order[i], static_cast<int>(i));
    const size_t bytes = place_all();
    if (bytes > memory.size() && !memory.allocate(bytes)) return false;
    for (size_t i = 0; i < count; ++i) {
      Tensor& tensor = graph_.tensors[i];
      if (!tensor.from_runtime) tensor.data = blocks_[i].bytes == 0 ? nullptr : memory.data() + blocks_[i].offset;
    }
    return true;
  }

 private:
  // The block of a tensor that only this partition sees, or null.
  Block* block(const Tensor* tensor) {
    return tensor == nullptr || tensor->from_runtime ? nullptr : &blocks_[tensor - graph_.tensors.begin()];
  }

  void find_lifetimes(const NodeView& node, int at) {
    const Tensor* const outputs[] = {node.fusion.stored, node.fusion.packed};
    for (const Tensor* made : outputs) {
      Block* written = block(made);
      if (written == nullptr) continue;
      // Whole cache lines, so that blocks stay aligned.
      const size_t bytes = static_cast<size_t>(made->elements()) * element_bytes(made->type);
      written->bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
      written->first = written->last = at;
    }
    for (int i = 0; i < node.input_count; ++i) read(node.inputs[i], at);
    for (int i = 0; i < node.fusion.count; ++i) read(node.fusion.steps[i].operand, at);
  }

  void read(const Tensor* tensor, int at) {
    if (Block* used = block(tensor)) used->last = at;
  }

  // Each value of an operand is read by whoever writes the result in its place, just before.
  void share_with_operand(const Operator& op, int at) {
    Block* out = block(op.view.fusion.stored);
    if (out == nullptr) return;
    const Fusion& fusion = op.view.fusion;
    for (int i = 0; i < fusion.count; ++i) {
      if (share(fusion.steps[i].operand, fusion.stored, out, at)) return;
    }
    for (int i = 0; is_elementwise(*op.type) && i < op.view.input_count; ++i) {
      if (share(op.view.inputs[i], fusion.stored, out, at)) return;
    }
  }

  bool share(const Tensor* operand, const Tensor* stored, Block* out, int at) {
    const Block* read = block(operand);
    if (read == nullptr || read->last != at || operand->elements() != stored->elements()) return false;
    Block& owner = read->shares < 0 ? blocks_[operand - graph_.tensors.begin()] : blocks_[read->shares];
    owner.last = out->last;
    out->shares = static_cast<int>(&owner - blocks_.begin());
    return true;
  }

  // The largest first, each at the lowest place that nobody needs at the same time. Returns the bytes of all.
  size_t place_all() {
    size_t count = 0;
    for (Block& block : blocks_) {
      if (block.bytes == 0 || block.shares >= 0) continue;
      size_t at = count++;
      for (; at > 0 && by_size_[at - 1]->bytes < block.bytes; --at) by_size_[at] = by_size_[at - 1];
      by_size_[at] = &block;
    }
    size_t total = 0;
    for (size_t i = 0; i < count; ++i) {
      Block& block = *by_size_[i];
      while (const Block* other = in_the_way(block, i)) block.offset = other->offset + other->bytes;
      if (block.offset + block.bytes > total) total = block.offset + block.bytes;
    }
    for (Block& block : blocks_) {
      if (block.shares >= 0) block.offset = blocks_[block.shares].offset;
    }
    return total;
  }

  const Block* in_the_way(const Block& block, size_t placed) const {
    for (size_t i = 0; i < placed; ++i) {
      const Block& other = *by_size_[i];
      const bool same_time = block.first <= other.last && other.first <= block.last;
      const bool same_place = block.offset < other.offset + other.bytes && other.offset < block.offset + block.bytes;
      if (same_time && same_place) return &other;
    }
    return nullptr;
  }

  Graph& graph_;
  Array<Block> blocks_;
  Array<Block*> by_size_;
};

}  // namespace

bool plan_memory(Graph& graph, Array<uint8_t>& memory) { return Planner(graph).run(memory); }

}  // namespace mbnn
