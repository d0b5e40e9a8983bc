// BATCH_MATMUL of two tensors of signs, from their bits. Each matrix of the second one is the filter of a binary 1x1
// convolution over the rows of one of the first, packed while it runs.
#include "delegate/operator.h"
#include "delegate/repeated.h"

namespace mbnn {
namespace {

enum Input { kFirst, kSecond, kPackedFirst, kPackedSecond, kInputs };

// Up to which sums of signs are exact in float.
constexpr int kMaxDepth = 1 << 24;
constexpr int64_t kTilesOfBlock = 4;

bool is_matrix(const Tensor& tensor) {
  return tensor.type == kTfLiteFloat32 && tensor.rank >= 2 && tensor.rank <= kMaxRank;
}

int rows_of(const Tensor& matrices) { return matrices.dims[matrices.rank - 2]; }
int64_t count_of(const Tensor& matrices) { return matrices.rows() / rows_of(matrices); }

// Which of the operand's matrices makes matrix `at` of the result; those of dimensions of 1 are used again.
int64_t matrix_of(const Tensor& operand, const Tensor& result, int64_t at) {
  int64_t matrix = 0, step = 1;
  for (int i = 3; i <= operand.rank; ++i) {
    const int size = result.dims[result.rank - i], own = operand.dims[operand.rank - i];
    if (own != 1) matrix += at % size * step;
    at /= size;
    step *= own;
  }
  return matrix;
}

struct BatchMatMul {
  Conv conv = {};
  Window height, width;  // of 1x1, over all rows of the first operand
  Array<uint8_t> filters;
  size_t filter_bytes = 0;  // of one matrix
  Array<float> multiplier, bias;
  Array<uint32_t> packed[2];  // of operands that nobody has packed
  TapTableUse table;

  bool parse(const TfLiteNode& from, NodeView& node, const Reporter& reporter) {
    if (node.input_count != kInputs || node.inputs[kFirst] == nullptr || node.inputs[kSecond] == nullptr) {
      return reporter.fail("needs two inputs");
    }
    return supports_batch_mat_mul(from, *node.inputs[kFirst], *node.inputs[kSecond]) ||
           reporter.fail("its options or inputs are not supported here");
  }

  bool prepare(NodeView& node, const Machine& machine, const Reporter& reporter) {
    const Tensor& first = *node.inputs[kFirst];
    const Tensor& second = *node.inputs[kSecond];
    if (!is_matrix(first) || !is_matrix(second) || node.output->type != kTfLiteFloat32) {
      return reporter.fail("inputs and output must be float32 matrices");
    }
    if (!check_size(first, reporter) || !check_size(second, reporter)) return false;
    if (first.channels() != second.channels() || first.channels() > kMaxDepth) {
      return reporter.fail("rows of %d and %d values cannot be multiplied", first.channels(), second.channels());
    }
    if (!set_shape(first, second, node.output)) {
      return reporter.fail("the shape of tensor %d does not fit that of tensor %d", second.index, first.index);
    }
    table.release();
    return check_size(*node.output, reporter) &&
           (lay_out(node, *machine.kernels) || reporter.fail("out of memory"));
  }

  bool run(const NodeView& node, Machine& machine, const Reporter& reporter) {
    const Tensor& out = *node.output;
    const Kernels& kernels = *machine.kernels;
    const uint32_t* first = bits_of(node, kFirst, machine);
    pack_filters(*node.inputs[kSecond], bits_of(node, kSecond, machine), machine);
    const int rows = static_cast<int>(node.inputs[kFirst]->rows());
    const TapTable* found =
        table.find(*node.tap_tables, {first, 1, 1, rows, conv.words, height, width, kernels.tile_pixels});
    if (found == nullptr) return reporter.fail("out of memory");
    node.fusion.fill(out.channels(), &conv.epilogue);
    // Rows of the result are long and its depth is small: whole rows are written, one block of them after the other.
    const int64_t row_tiles = (conv.pixels + kernels.tile_pixels - 1) / kernels.tile_pixels;
    const int64_t blocks = (row_tiles + kTilesOfBlock - 1) / kTilesOfBlock;
    machine.pool.run(count_of(out) * blocks, [&](int64_t i) {
      const int64_t matrix = i / blocks, row_tile = i % blocks * kTilesOfBlock;
      const int64_t last = row_tile + kTilesOfBlock < row_tiles ? row_tile + kTilesOfBlock : row_tiles;
      Conv product = conv;
      product.first_row = matrix * conv.pixels;
      product.taps_of_pixels = found->taps_of_pixels() + matrix_of(*node.inputs[kFirst], out, matrix) * conv.pixels;
      product.filter = filters.data() + matrix_of(*node.inputs[kSecond], out, matrix) * filter_bytes;
      for (int tile = 0; tile < conv.tiles; ++tile) kernels.bconv(product, 0, tile, row_tile, last);
    });
    return true;
  }

 private:
  static bool set_shape(const Tensor& first, const Tensor& second, Tensor* out) {
    Tensor batch[2];
    for (int i = 0; i < 2; ++i) {
      batch[i].set_shape(i == 0 ? first : second);
      batch[i].rank -= 2;
    }
    if (!broadcast_shape(batch[0], batch[1], out)) return false;
    out->dims[out->rank++] = rows_of(first);
    out->dims[out->rank++] = rows_of(second);
    return true;
  }

  // False if there is no memory.
  bool lay_out(const NodeView& node, const Kernels& kernels) {
    const Tensor& first = *node.inputs[kFirst];
    const Tensor& second = *node.inputs[kSecond];
    const int depth = first.channels();
    height.slide(1, false);
    width.slide(static_cast<int>(first.rows()), false);
    conv.pixels = rows_of(first);
    conv.taps = conv.groups = 1;
    conv.words = words_of(depth);
    conv.channels = rows_of(second);
    conv.tiles = (conv.channels - 1) / kernels.tile_channels + 1;
    conv.output_type = ConvOutput::kFloat;
    conv.clamp_max = 2 * depth;
    filter_bytes = kernels.packed_filter_bytes(conv.tiles, 1, conv.words);
    const size_t parameters = static_cast<size_t>(conv.tiles) * kernels.tile_channels;
    size_t bytes;
    if (!multiply(filter_bytes, static_cast<size_t>(count_of(second)), &bytes) || !filters.allocate(bytes) ||
        !multiplier.allocate(parameters) || !bias.allocate(parameters)) {
      return false;
    }
    for (float& value : multiplier) value = -1.0f;
    for (float& value : bias) value = static_cast<float>(depth);
    conv.multiplier = multiplier.data();
    conv.bias = bias.data();
    for (int i = 0; i < 2; ++i) {
      const bool is_packed = node.inputs[kPackedFirst + i] != nullptr;
      if (!is_packed && !packed[i].allocate(node.inputs[i]->rows() * conv.words)) return false;
    }
    return true;
  }

  // The operand's bits, packed now if it is another partition that unpacked them.
  const uint32_t* bits_of(const NodeView& node, int input, Machine& machine) {
    const Tensor& signs = *node.inputs[input];
    const Tensor* has = node.inputs[kPackedFirst + input];
    if (has != nullptr) return has->as<uint32_t>();
    uint32_t* to = packed[input].data();
    const int depth = signs.channels();
    split(machine.pool, signs.rows(), [&](int64_t first, int64_t last) {
      machine.kernels->pack_float(signs.as<float>() + first * depth, last - first, depth, to + first * conv.words);
    });
    return to;
  }

  void pack_filters(const Tensor& second, const uint32_t* bits, Machine& machine) {
    const int64_t words = static_cast<int64_t>(conv.channels) * conv.words;
    split(machine.pool, count_of(second), [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        machine.kernels->pack_filter(bits + i * words, conv.channels, 1, conv.words, filters.data() + i * filter_bytes);
      }
    });
  }
};

}  // namespace

constexpr OperatorType kBatchMatMul = operator_type<BatchMatMul>("BATCH_MATMUL", kTfLiteBuiltinBatchMatMul);

bool supports_batch_mat_mul(const TfLiteNode& node, const Tensor& first, const Tensor& second) {
  const auto* options = static_cast<const TfLiteBatchMatMulParams*>(node.builtin_data);
  return options != nullptr && !options->adj_x && options->adj_y && is_matrix(first) && is_matrix(second) &&
         first.channels() == second.channels() && first.channels() > 0 && first.channels() <= kMaxDepth;
}

}  // namespace mbnn
