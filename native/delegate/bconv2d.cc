// LceBconv2d: checks what the file says, lays filter and parameters out for the kernels, lets them run.
#include "delegate/bconv2d.h"

#include <math.h>

namespace mbnn {
namespace {

enum Input { kImage, kFilter, kMultiplier, kBias, kThreshold, kInputs };
enum Activation { kNone, kRelu, kReluN1To1, kRelu6 };

// Popcounts and their doubles stay far from the ends of int32.
constexpr int64_t kMaxBits = 1 << 29;

struct Bconv2d {
  // From the options.
  int channels_in = 0;
  int activation = kNone;
  bool same = false;
  bool pad_with_zeros = false;
  Window height, width;

  Conv conv = {};
  bool laid_out = false;
  Array<uint8_t> filter;
  Array<float> multiplier, bias;
  Array<int32_t> threshold;
  Array<int32_t> outside_correction;
  TapTableUse table;

  bool parse(const TfLiteNode& from, NodeView&, const Reporter& reporter) {
    FlexMap options;
    if (!open_options(from, &options, reporter)) return false;
    int padding = 0, pad_values = 0;
    const bool read = read_option(options, "channels_in", 1, INT32_MAX, &channels_in, reporter) &&
                      read_option(options, "stride_height", 1, INT32_MAX, &height.stride, reporter) &&
                      read_option(options, "stride_width", 1, INT32_MAX, &width.stride, reporter) &&
                      read_option(options, "dilation_height_factor", 1, INT32_MAX, &height.dilation, reporter) &&
                      read_option(options, "dilation_width_factor", 1, INT32_MAX, &width.dilation, reporter) &&
                      read_option(options, "fused_activation_function", kNone, kRelu6, &activation, reporter) &&
                      read_option(options, "pad_values", 0, 1, &pad_values, reporter) &&
                      read_option(options, "padding", kPaddingSame, kPaddingValid, &padding, reporter);
    same = padding == kPaddingSame;
    pad_with_zeros = same && pad_values == 0;
    return read;
  }

  bool prepare(const NodeView& node, const Machine& machine, const Reporter& reporter) {
    if (!check_inputs(node, reporter)) return false;
    const Tensor& in = *node.inputs[kImage];
    Tensor& out = *node.output;
    if (!height.slide(in.dims[1], same) || !width.slide(in.dims[2], same)) {
      return reporter.fail("the filter is larger than the input");
    }
    out.rank = 4;
    out.dims[0] = in.dims[0];
    out.dims[1] = height.output;
    out.dims[2] = width.output;
    const int channels_out = node.inputs[kFilter]->dims[0];
    out.dims[3] = out.type == kTfLiteInt32 ? words_of(channels_out) : channels_out;
    if (!check_size(out, reporter)) return false;
    conv.pixels = static_cast<int64_t>(out.dims[0]) * out.dims[1] * out.dims[2];
    table.release();
    return laid_out || lay_out(node, machine, reporter);
  }

  bool run(const NodeView& node, Machine& machine, const Reporter& reporter) {
    if (!find_table(node, *machine.kernels)) return reporter.fail("out of memory");
    if (conv.output_type == ConvOutput::kFloat) {
      node.fusion.fill(node.output->channels(), &conv.epilogue);
    } else {
      conv.output = node.fusion.stored->data;
    }
    const int tile_pixels = machine.kernels->tile_pixels;
    const int64_t pixel_tiles = (conv.pixels + tile_pixels - 1) / tile_pixels;
    const int64_t channel_tiles = static_cast<int64_t>(conv.groups) * conv.tiles;
    if (conv.bits_share_words) {
      memset(conv.output, 0, sizeof(uint32_t) * node.output->elements());
      split(machine.pool, pixel_tiles, [&](int64_t first, int64_t last) {
        for (int64_t tile = 0; tile < channel_tiles; ++tile) run_tile(machine, tile, first, last);
      });
      return true;
    }
    split_tiles(machine.pool, channel_tiles, pixel_tiles, [&](int64_t tile, int64_t first, int64_t last) {
      run_tile(machine, tile, first, last);
    });
    return true;
  }

 private:
  void run_tile(const Machine& machine, int64_t tile, int64_t first, int64_t last) const {
    machine.kernels->bconv(conv, static_cast<int>(tile / conv.tiles), static_cast<int>(tile % conv.tiles), first, last);
  }

  bool check_inputs(const NodeView& node, const Reporter& reporter) {
    if (node.input_count != kInputs) return reporter.fail("needs 5 inputs, has %d", node.input_count);
    const Tensor* in = node.inputs[kImage];
    const Tensor* weights = node.inputs[kFilter];
    if (in == nullptr || weights == nullptr) return reporter.fail("the input or the filter is missing");
    if (in->type != kTfLiteInt32 || weights->type != kTfLiteInt32) {
      return reporter.fail("input and filter must be int32");
    }
    if (in->rank != 4 || weights->rank != 4) return reporter.fail("input and filter must have 4 dimensions");
    if (!check_size(*in, reporter) || !check_constant(*weights, reporter)) return false;
    if (in->channels() != words_of(channels_in)) {
      return reporter.fail("the input has %d words per pixel, not those of %d channels", in->channels(), channels_in);
    }
    conv.words = weights->channels();
    if (in->channels() % conv.words != 0) {
      return reporter.fail("%d input words cannot be split into filters of %d", in->channels(), conv.words);
    }
    conv.groups = in->channels() / conv.words;
    if (conv.groups > 1 && (channels_in % kWordBits != 0 || weights->dims[0] % conv.groups != 0)) {
      return reporter.fail("%d groups do not divide %d input and %d output channels", conv.groups, channels_in,
                           weights->dims[0]);
    }
    conv.channels = weights->dims[0] / conv.groups;
    height.size = weights->dims[1];
    width.size = weights->dims[2];
    // The filter's elements fit in an int, so this product does too.
    conv.taps = height.size * width.size;
    // All bits of a word are counted, also those that the file sets past the last channel.
    if (static_cast<int64_t>(conv.taps) * conv.words * kWordBits > kMaxBits) {
      return reporter.fail("the filter has too many taps");
    }
    return check_parameters(node, reporter);
  }

  int64_t bits_of_accumulator() const { return static_cast<int64_t>(conv.taps) * (channels_in / conv.groups); }

  bool check_parameters(const NodeView& node, const Reporter& reporter) {
    const int channels = node.inputs[kFilter]->dims[0];
    switch (node.output->type) {
      case kTfLiteFloat32: conv.output_type = ConvOutput::kFloat; break;
      case kTfLiteInt8: conv.output_type = ConvOutput::kInt8; break;
      case kTfLiteInt32:
        conv.output_type = ConvOutput::kBits;
        return check_vector(node.inputs[kThreshold], "output_threshold", kTfLiteInt32, channels, reporter);
      default: return reporter.fail("the output must be float32, int8 or int32");
    }
    const TfLiteQuantizationParams& quantization = node.output->quantization;
    if (conv.output_type == ConvOutput::kInt8 && !(quantization.scale > 0.0f && isfinite(quantization.scale))) {
      return reporter.fail("the output's scale is not a positive number");
    }
    return check_vector(node.inputs[kMultiplier], "post_activation_multiplier", kTfLiteFloat32, channels, reporter) &&
           check_vector(node.inputs[kBias], "post_activation_bias", kTfLiteFloat32, channels, reporter);
  }

  static bool check_vector(const Tensor* tensor, const char* name, int32_t type, int channels,
                           const Reporter& reporter) {
    if (tensor == nullptr) return reporter.fail("%s is missing", name);
    if (tensor->type != type) return reporter.fail("%s has the wrong type", name);
    if (tensor->rank != 1 || tensor->dims[0] != channels) {
      return reporter.fail("%s must have shape [%d]", name, channels);
    }
    return check_constant(*tensor, reporter);
  }

  // Constants are laid out once, so they must be in the file.
  static bool check_constant(const Tensor& tensor, const Reporter& reporter) {
    if (!check_size(tensor, reporter)) return false;
    return (tensor.constant && tensor.data != nullptr) ||
           reporter.fail("tensor %d must be constant", tensor.index);
  }

  // Copies filter and parameters into tiles of channels.
  bool lay_out(const NodeView& node, const Machine& machine, const Reporter& reporter) {
    const Kernels& kernels = *machine.kernels;
    const int tile = kernels.tile_channels;
    conv.tiles = (conv.channels - 1) / tile + 1;
    const size_t tiles = static_cast<size_t>(conv.groups) * conv.tiles;
    const size_t parameters = tiles * tile;
    const bool bits = conv.output_type == ConvOutput::kBits;
    if (!filter.allocate(kernels.packed_filter_bytes(tiles, conv.taps, conv.words)) ||
        !(bits ? threshold.allocate(parameters) : multiplier.allocate(parameters) && bias.allocate(parameters)) ||
        (pad_with_zeros && !outside_correction.allocate(parameters * conv.taps))) {
      return reporter.fail("out of memory");
    }
    const size_t group_bytes = kernels.packed_filter_bytes(conv.tiles, conv.taps, conv.words);
    const size_t group_words = static_cast<size_t>(conv.channels) * conv.taps * conv.words;
    for (int group = 0; group < conv.groups; ++group) {
      kernels.pack_filter(node.inputs[kFilter]->as<uint32_t>() + group * group_words, conv.channels, conv.taps,
                          conv.words, filter.data() + group * group_bytes);
    }
    if (bits) for (int32_t& value : threshold) value = INT32_MAX;  // no bit where there is no channel
    for (int channel = 0; channel < conv.groups * conv.channels; ++channel) {
      const int in_group = channel % conv.channels;
      const size_t group_tile = static_cast<size_t>(channel / conv.channels) * conv.tiles + in_group / tile;
      lay_out_channel(node, channel, group_tile, in_group % tile, tile);
    }
    set_clamps();
    conv.filter = filter.data();
    conv.multiplier = multiplier.data();
    conv.bias = bias.data();
    conv.threshold = threshold.data();
    conv.outside_correction = outside_correction.data();
    conv.bits_share_words = bits && conv.groups > 1 && conv.channels % kWordBits != 0;
    laid_out = true;
    return true;
  }

  void lay_out_channel(const NodeView& node, int channel, size_t tile_index, int in_tile, int tile) {
    const size_t at = tile_index * tile + in_tile;
    if (conv.output_type == ConvOutput::kBits) {
      // The kernel compares twice the popcount; a popcount is below kMaxBits, so the clamp changes no comparison.
      int64_t twice = 2 * static_cast<int64_t>(node.inputs[kThreshold]->as<int32_t>()[channel]);
      if (twice < -4 * kMaxBits + 1) twice = -4 * kMaxBits + 1;
      if (twice > 4 * kMaxBits - 1) twice = 4 * kMaxBits - 1;
      threshold[at] = static_cast<int32_t>(twice);
    } else {
      lay_out_affine(node, channel, at);
    }
    if (pad_with_zeros) lay_out_correction(node, channel, tile_index * tile * conv.taps + in_tile, tile);
  }

  // out = (bits - x) * multiplier + bias, written as x * -multiplier + (bias + bits * multiplier); in double until the
  // end, as LCE's reference does, so that both round once.
  void lay_out_affine(const NodeView& node, int channel, size_t at) {
    double scale = 1.0, zero_point = 0.0;
    if (conv.output_type == ConvOutput::kInt8) {
      scale = node.output->quantization.scale;
      zero_point = node.output->quantization.zero_point;
    }
    const double post_multiplier = node.inputs[kMultiplier]->as<float>()[channel];
    const double post_bias = node.inputs[kBias]->as<float>()[channel];
    const double bits = static_cast<double>(bits_of_accumulator());
    multiplier[at] = static_cast<float>(-post_multiplier / scale);
    bias[at] = static_cast<float>((post_bias + bits * post_multiplier) / scale + zero_point);
  }

  // An outside tap reads zeros, which stand for +1, and was counted as the filter's set bits. It should add nothing:
  // take twice the count back, and the channels that can no longer agree.
  void lay_out_correction(const NodeView& node, int channel, size_t at, int tile) {
    const size_t words_of_channel = static_cast<size_t>(conv.taps) * conv.words;
    const uint32_t* words = node.inputs[kFilter]->as<uint32_t>() + channel * words_of_channel;
    for (int tap = 0; tap < conv.taps; ++tap, at += tile) {
      int set = 0;
      for (int word = 0; word < conv.words; ++word) set += __builtin_popcount(*words++);
      outside_correction[at] = channels_in / conv.groups - 2 * set;
    }
  }

  // The activation's bounds, in terms of x = bits - output.
  void set_clamps() {
    const int32_t bits = static_cast<int32_t>(bits_of_accumulator());
    int32_t low = -bits, high = bits;
    if (activation == kRelu || activation == kRelu6) low = 0;
    if (activation == kRelu6) high = high < 6 ? high : 6;
    if (activation == kReluN1To1) low = -1, high = 1;
    conv.clamp_min = bits - high;
    conv.clamp_max = bits - low;
  }

  bool find_table(const NodeView& node, const Kernels& kernels) {
    const Tensor& in = *node.inputs[kImage];
    const TapTable* found =
        table.find(*node.tap_tables, {in.as<uint32_t>(), in.dims[0], in.dims[1], in.dims[2], in.channels(), height,
                                      width, kernels.tile_pixels});
    if (found == nullptr) return false;
    conv.taps_of_pixels = found->taps_of_pixels();
    conv.outside = found->outside();
    conv.tile_has_outside = found->tile_has_outside();
    return true;
  }
};

}  // namespace

constexpr OperatorType kBconv2d = operator_type<Bconv2d>("LceBconv2d");

bool has_one_group(const NodeView& node) {
  if (node.input_count != kInputs) return false;
  const Tensor* in = node.inputs[kImage];
  const Tensor* weights = node.inputs[kFilter];
  return in != nullptr && weights != nullptr && in->rank == 4 && weights->rank == 4 &&
         in->channels() == weights->channels();
}

}  // namespace mbnn
