// The maximum of the pixels in each window of a row of floats.
#pragma once

#include <stdint.h>

#include "kernels/kernels.h"
#include "kernels/vectors.h"

namespace mbnn {
namespace {

// A window within the map: `rows` x `columns` pixels from `in` on.
struct FloatWindow {
  const float* in;
  int rows, columns;
  int64_t row_elements;
  int elements;  // of a pixel

  // Of kVectors vectors, or of one float, from channel `channel` on.
  template <class Vector, int kVectors>
  inline __attribute__((always_inline)) void maximum(int channel, float* out) const {
    constexpr int kStep = sizeof(Vector) / sizeof(float);
    Vector most[kVectors];
    for (int v = 0; v < kVectors; ++v) most[v] = load<Vector>(in + channel + v * kStep);
    for (int y = 0; y < rows; ++y) {
      const float* pixel = in + y * row_elements + channel;
      for (int x = 0; x < columns; ++x, pixel += elements) {
        for (int v = 0; v < kVectors; ++v) {
          const Vector other = load<Vector>(pixel + v * kStep);
          most[v] = most[v] > other ? most[v] : other;
        }
      }
    }
    for (int v = 0; v < kVectors; ++v) store(most[v], out + channel + v * kStep);
  }
};

inline void float_pool(const PoolRow<float>& row) {
  constexpr int kTogether = 4;  // vectors: enough maxima at once to hide one's latency
  for (int column = 0; column < row.columns; ++column) {
    const int64_t start = row.start + static_cast<int64_t>(column) * row.stride;
    const int64_t first = start > 0 ? start : 0;
    const int64_t last = start + row.window < row.width ? start + row.window : row.width;
    const FloatWindow window = {row.in + first * row.elements, row.rows, static_cast<int>(last - first),
                                row.row_elements, row.elements};
    float* out = row.out + static_cast<int64_t>(column) * row.elements;
    int channel = 0;
    for (; channel + kTogether * kLanes <= row.elements; channel += kTogether * kLanes) {
      window.maximum<Floats, kTogether>(channel, out);
    }
    for (; channel + kLanes <= row.elements; channel += kLanes) window.maximum<Floats, 1>(channel, out);
    for (; channel < row.elements; ++channel) window.maximum<float, 1>(channel, out);
  }
}

}  // namespace
}  // namespace mbnn
