// The most binary multiply-accumulates that one core does with an instruction set's own inner loop, on data in the first
// cache: what a layer is measured against.
#include "delegate/peak.h"

#include <time.h>

#include "memory.h"

namespace mbnn {
namespace {

// Two depths of the sum: what they differ by is the inner loop alone, without what begins and ends a tile. A filter of the
// deeper one is 18 KB at most, so that it stays in the first cache of every processor of today.
constexpr int kShallow = 12;
constexpr int kDeep = 36;
constexpr int kRunsAtOnce = 200;

int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

// One tile of pixels times one tile of channels, with outputs of bits.
class Tile {
 public:
  bool prepare(const Kernels& kernels, int words) {
    kernels_ = &kernels;
    const size_t pixels = static_cast<size_t>(kernels.tile_pixels);
    const size_t channels = static_cast<size_t>(kernels.tile_channels);
    const size_t filter_words = channels * static_cast<size_t>(words);
    if (!weights_.allocate(filter_words) || !packed_.allocate(kernels.packed_filter_bytes(1, 1, words)) ||
        !activations_.allocate(pixels * words) || !taps_.allocate(pixels) || !outside_.allocate(words) ||
        !threshold_.allocate(channels) || !output_.allocate(pixels * channels / kWordBits + 1)) {
      return false;
    }
    uint32_t bits = 1;
    for (uint32_t& word : weights_) word = bits = bits * 1664525u + 1013904223u;
    for (uint32_t& word : activations_) word = bits = bits * 1664525u + 1013904223u;
    kernels.pack_filter(weights_.data(), kernels.tile_channels, 1, words, packed_.data());
    for (size_t p = 0; p < pixels; ++p) taps_[p] = &activations_[p * words];
    conv_.pixels = kernels.tile_pixels;
    conv_.taps = 1;
    conv_.words = words;
    conv_.groups = 1;
    conv_.channels = kernels.tile_channels;
    conv_.tiles = 1;
    conv_.filter = packed_.data();
    conv_.taps_of_pixels = taps_.data();
    conv_.outside = outside_.data();
    conv_.output_type = ConvOutput::kBits;
    conv_.output = output_.data();
    conv_.clamp_min = -kWordBits * words * 2;
    conv_.clamp_max = kWordBits * words * 2;
    conv_.threshold = threshold_.data();
    return true;
  }

  // Of one run, in nanoseconds: the mean of some.
  double time() const {
    const int64_t start = nanoseconds();
    for (int i = 0; i < kRunsAtOnce; ++i) kernels_->bconv(conv_, 0, 0, 0, 1);
    return static_cast<double>(nanoseconds() - start) / kRunsAtOnce;
  }

 private:
  const Kernels* kernels_ = nullptr;
  Conv conv_ = {};
  Array<uint32_t> weights_, activations_, outside_, output_;
  Array<uint8_t> packed_;
  Array<const uint32_t*> taps_;
  Array<int32_t> threshold_;
};

}  // namespace

double measure_peak_gmacs(const Kernels& kernels, int milliseconds) {
  Tile shallow, deep;
  if (!shallow.prepare(kernels, kShallow) || !deep.prepare(kernels, kDeep)) return 0;
  double least_shallow = 1e300, least_deep = 1e300;
  const int64_t end = nanoseconds() + int64_t{1000000} * milliseconds;
  do {  // taking turns, so that a clock that rises meanwhile rises for both
    const double a = shallow.time(), b = deep.time();
    if (a < least_shallow) least_shallow = a;
    if (b < least_deep) least_deep = b;
  } while (nanoseconds() < end);
  const double macs = double{kWordBits} * (kDeep - kShallow) * kernels.tile_pixels * kernels.tile_channels;
  return least_deep > least_shallow ? macs / (least_deep - least_shallow) : 0;
}

}  // namespace mbnn
