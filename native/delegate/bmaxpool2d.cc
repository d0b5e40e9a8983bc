// LceBMaxPool2d: the maximum of signs is the AND of their bits.
#include "delegate/operator.h"

namespace mbnn {
namespace {

struct BMaxPool2d {
  bool same = false;
  Window height, width;

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

  bool prepare(const NodeView& node, const Machine&, const Reporter& reporter) {
    if (node.input_count != 1 || node.inputs[0] == nullptr) return reporter.fail("needs one input");
    const Tensor& in = *node.inputs[0];
    Tensor& out = *node.output;
    if (in.type != kTfLiteInt32 || out.type != kTfLiteInt32) return reporter.fail("input and output must be int32");
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
    uint32_t* out = node.output->as<uint32_t>();
    const int64_t row_words = static_cast<int64_t>(width.output) * in.channels();
    split(machine.pool, static_cast<int64_t>(in.dims[0]) * height.output, [&](int64_t first, int64_t last) {
      for (int64_t row = first; row < last; ++row) pool_row(in, row, *machine.kernels, out + row * row_words);
    });
    return true;
  }

  void pool_row(const Tensor& in, int64_t row, const Kernels& kernels, uint32_t* out) const {
    const int words = in.channels();
    const int64_t row_words = static_cast<int64_t>(in.dims[2]) * words;
    const int64_t start = height.start(row % height.output);
    const int64_t first = start > 0 ? start : 0;
    const int64_t last = start + height.size < in.dims[1] ? start + height.size : in.dims[1];
    const uint32_t* from = in.as<uint32_t>() + (row / height.output * in.dims[1] + first) * row_words;
    kernels.pool({from, static_cast<int>(last - first), row_words, in.dims[2], words, width.start(0), width.size,
                  width.stride, width.output, out});
  }
};

}  // namespace

constexpr OperatorType kBMaxPool2d = operator_type<BMaxPool2d>("LceBMaxPool2d");

}  // namespace mbnn
