// LceQuantize and LceDequantize: values to sign bits and back.
#include <math.h>

#include "delegate/operator.h"

namespace mbnn {
namespace {

bool check_nodes(const NodeView& node, const Reporter& reporter) {
  if (node.input_count != 1 || node.inputs[0] == nullptr) return reporter.fail("needs one input");
  return check_size(*node.inputs[0], reporter);
}

bool check_zero_point(const Tensor& tensor, const Reporter& reporter) {
  const int zero_point = tensor.quantization.zero_point;
  if (zero_point >= INT8_MIN && zero_point <= INT8_MAX) return true;
  return reporter.fail("zero point %d of tensor %d is no int8", zero_point, tensor.index);
}

struct Quantize {
  bool parse(const TfLiteNode&, NodeView&, const Reporter&) { return true; }

  bool prepare(const NodeView& node, const Machine&, const Reporter& reporter) {
    if (!check_nodes(node, reporter)) return false;
    const Tensor& in = *node.inputs[0];
    if (in.type != kTfLiteFloat32 && in.type != kTfLiteInt8 && in.type != kTfLiteBool) {
      return reporter.fail("the input must be float32, int8 or bool");
    }
    if (node.output->type != kTfLiteInt32) return reporter.fail("the output must be int32");
    if (in.type == kTfLiteInt8 && !check_zero_point(in, reporter)) return false;
    node.output->set_shape(in);
    node.output->dims[in.rank - 1] = words_of(in.channels());
    return true;
  }

  bool run(const NodeView& node, Machine& machine, const Reporter&) {
    const Tensor& in = *node.inputs[0];
    const Kernels& kernels = *machine.kernels;
    const int channels = in.channels();
    // false stands for -1: as numbers, what is below 1.
    const int zero_point = in.type == kTfLiteBool ? 1 : in.quantization.zero_point;
    split(machine.pool, in.rows(), [&](int64_t first, int64_t last) {
      uint32_t* out = node.output->as<uint32_t>() + first * words_of(channels);
      if (in.type == kTfLiteFloat32) {
        kernels.pack_float(in.as<float>() + first * channels, last - first, channels, out);
      } else {
        kernels.pack_int8(in.as<int8_t>() + first * channels, last - first, channels, zero_point, out);
      }
    });
    return true;
  }
};

struct Dequantize {
  // What a clear and a set bit become; not used for float32.
  int8_t zero = 0, one = 0;

  bool parse(const TfLiteNode&, NodeView&, const Reporter&) { return true; }

  bool prepare(const NodeView& node, const Machine&, const Reporter& reporter) {
    if (!check_nodes(node, reporter)) return false;
    const Tensor& in = *node.inputs[0];
    Tensor& out = *node.output;
    if (in.type != kTfLiteInt32) return reporter.fail("the input must be int32");
    if (out.type != kTfLiteFloat32 && out.type != kTfLiteInt8 && out.type != kTfLiteBool) {
      return reporter.fail("the output must be float32, int8 or bool");
    }
    // Only the output knows how many bits of the last word are channels.
    if (out.rank != in.rank || out.channels() <= 0 || words_of(out.channels()) != in.channels()) {
      return reporter.fail("the output's channels do not fit the input's words");
    }
    const int channels = out.channels();
    out.set_shape(in);
    out.dims[out.rank - 1] = channels;
    return out.type == kTfLiteFloat32 || set_values(out, reporter);
  }

  bool set_values(const Tensor& out, const Reporter& reporter) {
    if (out.type == kTfLiteBool) {
      zero = 1;
      one = 0;
      return true;
    }
    const float scale = out.quantization.scale;
    if (!(scale > 0.0f) || !isfinite(scale)) return reporter.fail("the output's scale is not a positive number");
    if (!check_zero_point(out, reporter)) return false;
    const int distance = static_cast<int>(fminf(roundf(1.0f / scale), 255.0f));
    const int high = out.quantization.zero_point + distance;
    const int low = out.quantization.zero_point - distance;
    zero = static_cast<int8_t>(high < INT8_MAX ? high : INT8_MAX);
    one = static_cast<int8_t>(low > INT8_MIN ? low : INT8_MIN);
    return true;
  }

  bool run(const NodeView& node, Machine& machine, const Reporter&) {
    const Tensor& out = *node.output;
    const Kernels& kernels = *machine.kernels;
    const int channels = out.channels();
    split(machine.pool, out.rows(), [&](int64_t first, int64_t last) {
      const uint32_t* in = node.inputs[0]->as<uint32_t>() + first * words_of(channels);
      if (out.type == kTfLiteFloat32) {
        kernels.unpack_float(in, last - first, channels, out.as<uint32_t>() + first * channels);
      } else {
        kernels.unpack_int8(in, last - first, channels, zero, one, out.as<int8_t>() + first * channels);
      }
    });
    return true;
  }
};

}  // namespace

constexpr OperatorType kQuantize = operator_type<Quantize>("LceQuantize");
constexpr OperatorType kDequantize = operator_type<Dequantize>("LceDequantize");

}  // namespace mbnn
