// How a filter or a pooling window moves over one dimension of a map.
#pragma once

#include <stdint.h>

namespace mbnn {

// Where a window of `size` taps, `dilation` apart, moves over `input` in steps of `stride`.
struct Window {
  int size = 1, stride = 1, dilation = 1;
  int output = 0;
  int64_t before = 0;  // padding

  // TFLite's rule for SAME and VALID. False if nothing fits.
  bool slide(int input, bool same);
  bool operator==(const Window& other) const {
    return size == other.size && stride == other.stride && dilation == other.dilation && output == other.output &&
           before == other.before;
  }
  // The first input coordinate of an output coordinate; may lie outside.
  int64_t start(int64_t at) const { return at * stride - before; }
};

}  // namespace mbnn
