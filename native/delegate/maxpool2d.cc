// LceBMaxPool2d and MAX_POOL_2D: the maximum of signs is the AND of their bits.
#include "delegate/operator.h"

namespace mbnn {
namespace {

// Pooling of a map whose pixels are rows of Element: words of sign bits, or floats.
template <class Element, TfLiteType kType>
struct MaxPool2d {
  bool same = false;
  Window height, width;

  bool prepare(const NodeView& node, const Machine&, const Reporter& reporter) {
    if (node.input_count != 1 || node.inputs[0] == nullptr) return reporter.fail("needs one input");
    const Tensor& in = *node.inputs[0];
    Tensor& out = *node.output;
    if (in.type != kType || out.type != kType) {
      return reporter.fail("input and output must be %s", kType == kTfLiteInt32 ? "int32" : "float32");
    }
    if (in.rank != 4) return reporter.fail("the input must have 4 dimensions, not %d", in.rank);
    if (!check_size(in, reporter)) return false;
    if (!height.slide(in.dims[1], same) || !width.slide(in.dims[2], same)) {
      return reporter.fail("the window is larger than the input");
    }
    out.rank = 4;
    out.dims[0] = in.dims[0];
    out.dims[1] = height.output;
    out.dims[2] = width.output;
    out.dims[3] = in.dims[3];
    return true;
  }

  bool run(const NodeView& node, Machine& machine, const Reporter&) {
    const Tensor& in = *node.inputs[0];
    Element* out = node.output->as<Element>();
    const int64_t row_elements = static_cast<int64_t>(width.output) * in.channels();
    split(machine.pool, static_cast<int64_t>(in.dims[0]) * height.output, [&](int64_t first, int64_t last) {
      for (int64_t row = first; row < last; ++row) pool_row(in, row, *machine.kernels, out + row * row_elements);
    });
    return true;
  }

  void pool_row(const Tensor& in, int64_t row, const Kernels& kernels, Element* out) const {
    const int64_t row_elements = static_cast<int64_t>(in.dims[2]) * in.channels();
    const int64_t start = height.start(row % height.output);
    const int64_t first = start > 0 ? start : 0;
    const int64_t last = start + height.size < in.dims[1] ? start + height.size : in.dims[1];
    const Element* from = in.as<Element>() + (row / height.output * in.dims[1] + first) * row_elements;
    pool(kernels, {from, static_cast<int>(last - first), row_elements, in.dims[2], in.channels(), width.start(0),
                   width.size, width.stride, width.output, out});
  }

  static void pool(const Kernels& kernels, const PoolRow<uint32_t>& row) { kernels.pool_bits(row); }
  static void pool(const Kernels& kernels, const PoolRow<float>& row) { kernels.pool_float(row); }
};

struct BinaryPool : MaxPool2d<uint32_t, kTfLiteInt32> {
  bool parse(const TfLiteNode& from, NodeView&, const Reporter& reporter) {
    FlexMap options;
    if (!open_options(from, &options, reporter)) return false;
    int padding = 0;
    const bool read = read_option(options, "padding", kPaddingSame, kPaddingValid, &padding, reporter) &&
                      read_option(options, "filter_height", 1, INT32_MAX, &height.size, reporter) &&
                      read_option(options, "filter_width", 1, INT32_MAX, &width.size, reporter) &&
                      read_option(options, "stride_height", 1, INT32_MAX, &height.stride, reporter) &&
                      read_option(options, "stride_width", 1, INT32_MAX, &width.stride, reporter);
    same = padding == kPaddingSame;
    return read;
  }
};

struct FloatPool : MaxPool2d<float, kTfLiteFloat32> {
  bool parse(const TfLiteNode& from, NodeView&, const Reporter& reporter) {
    if (!supports_max_pool(from)) return reporter.fail("its options are not supported here");
    const auto& options = *static_cast<const TfLitePoolParams*>(from.builtin_data);
    same = options.padding == kTfLitePaddingSame;
    height.size = options.filter_height;
    width.size = options.filter_width;
    height.stride = options.stride_height;
    width.stride = options.stride_width;
    return true;
  }
};

}  // namespace

constexpr OperatorType kBMaxPool2d = operator_type<BinaryPool>("LceBMaxPool2d");
constexpr OperatorType kMaxPool2d = operator_type<FloatPool>("MAX_POOL_2D", kTfLiteBuiltinMaxPool2d);

bool supports_max_pool(const TfLiteNode& node) {
  const auto* options = static_cast<const TfLitePoolParams*>(node.builtin_data);
  return options != nullptr && options->activation == kTfLiteActNone &&
         (options->padding == kTfLitePaddingSame || options->padding == kTfLitePaddingValid) &&
         options->filter_height > 0 && options->filter_width > 0 && options->stride_height > 0 &&
         options->stride_width > 0;
}

}  // namespace mbnn
