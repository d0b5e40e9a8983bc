// The AND of the pixels in each window of a row, which is the maximum of their signs.
#pragma once

#include <stdint.h>
#include <string.h>

#include "kernels/kernels.h"
#include "kernels/vectors.h"

namespace mbnn {
namespace {

// The rows of the windows are joined first, over as many pixels as fit in a buffer, then the columns: both are simple
// loops over neighbouring words, which the compiler makes vectors of.
class BitPool {
  using BitRow = PoolRow<uint32_t>;

 public:
  static void run(const BitRow& row) {
    // Wide pixels are vectors already, and need no buffer.
    if (row.elements % kWideWords == 0 && row.rows <= 2 && row.window <= 2) return join_windows<2>(row);
    if (row.elements % kWideWords == 0 && row.rows <= 3 && row.window <= 3) return join_windows<3>(row);
    const int64_t fitting = (kBufferWords / row.elements - row.window) / row.stride + 1;
    const int chunk = fitting < row.columns ? static_cast<int>(fitting) : row.columns;
    if (kBufferWords / row.elements < row.window) return join_pixel_by_pixel(row);
    for (int column = 0; column < row.columns; column += chunk) {
      const int left = row.columns - column;
      join_chunk(row, column, left < chunk ? left : chunk);
    }
  }

 private:
  static constexpr int kBufferWords = 4096;
  static constexpr int kWideWords = 8;
  static constexpr int kVectorWords = kLanes < kWideWords ? kLanes : kWideWords;
  typedef uint64_t Pair __attribute__((vector_size(16)));
  typedef uint32_t Vector __attribute__((vector_size(kVectorWords * sizeof(uint32_t))));

  // Windows of up to kSize x kSize. A pixel that is missing, outside the map too, stands for its neighbour in the window:
  // what is joined twice changes nothing.
  template <int kSize>
  static void join_windows(const BitRow& row) {
    const uint32_t* lines[kSize];
    for (int y = 0; y < kSize; ++y) lines[y] = row.in + (y < row.rows ? y : row.rows - 1) * row.row_elements;
    uint32_t* out = row.out;
    const int words = row.elements;
    int64_t start = row.start;
    for (int column = 0; column < row.columns; ++column, start += row.stride) {
      const bool whole = start >= 0 && start + kSize <= row.width && row.window == kSize;
      int64_t pixels[kSize];
      for (int x = 0; x < kSize; ++x) pixels[x] = (whole ? start + x : near(row, start, x)) * words;
      for (int i = 0; i < words; i += kVectorWords, out += kVectorWords) {
        Vector all = load<Vector>(lines[0] + pixels[0] + i);
        for (int y = 0; y < kSize; ++y) {
          for (int x = y == 0 ? 1 : 0; x < kSize; ++x) all &= load<Vector>(lines[y] + pixels[x] + i);
        }
        store(all, out);
      }
    }
  }

  static int64_t near(const BitRow& row, int64_t start, int x) {
    const int64_t at = start + (x < row.window ? x : row.window - 1);
    return at < 0 ? 0 : at < row.width ? at : row.width - 1;
  }

  static void join_pixel_by_pixel(const BitRow& row) {
    for (int column = 0; column < row.columns; ++column) {
      uint32_t* out = row.out + static_cast<int64_t>(column) * row.elements;
      const int64_t start = row.start + static_cast<int64_t>(column) * row.stride;
      fill(out, row.elements);
      for (int64_t x = start > 0 ? start : 0; x < start + row.window && x < row.width; ++x) {
        for (int y = 0; y < row.rows; ++y) {
          const uint32_t* pixel = row.in + y * row.row_elements + x * row.elements;
          for (int i = 0; i < row.elements; ++i) out[i] &= pixel[i];
        }
      }
    }
  }

  static void join_chunk(const BitRow& row, int first, int count) {
    alignas(64) uint32_t joined[kBufferWords];
    const int64_t start = row.start + static_cast<int64_t>(first) * row.stride;
    const int64_t end = start + static_cast<int64_t>(count - 1) * row.stride + row.window;
    const int64_t inside = start > 0 ? start : 0;
    const int64_t inside_end = end < row.width ? end : row.width;
    uint32_t* to = fill(joined, (inside - start) * row.elements);
    join_rows(row, row.in + inside * row.elements, (inside_end - inside) * row.elements, to);
    fill(to + (inside_end - inside) * row.elements, (end - inside_end) * row.elements);
    uint32_t* out = row.out + static_cast<int64_t>(first) * row.elements;
    if (row.elements == 1) return join_columns<uint32_t>(row, joined, count, out);
    if (row.elements == 2) return join_columns<uint64_t>(row, joined, count, out);
    if (row.elements == 4) return join_columns<Pair>(row, joined, count, out);
    join_wide_columns(row, joined, count, out);
  }

  // Pixels outside the map change no AND.
  static uint32_t* fill(uint32_t* words, int64_t count) {
    for (int64_t i = 0; i < count; ++i) words[i] = ~0u;
    return words + count;
  }

  static void join_rows(const BitRow& row, const uint32_t* in, int64_t words, uint32_t* __restrict out) {
    const uint32_t* second = row.rows > 1 ? in + row.row_elements : in;
    const uint32_t* third = row.rows > 2 ? second + row.row_elements : second;
    for (int64_t i = 0; i < words; ++i) out[i] = in[i] & second[i] & third[i];
    for (int y = 3; y < row.rows; ++y) {
      const uint32_t* next = in + y * row.row_elements;
      for (int64_t i = 0; i < words; ++i) out[i] &= next[i];
    }
  }

  // A pixel is one Element.
  template <class Element>
  static void join_columns(const BitRow& row, const uint32_t* in, int count, uint32_t* out) {
    const Element* from = reinterpret_cast<const Element*>(in);
    Element* to = reinterpret_cast<Element*>(out);
    if (row.stride == 2 && row.window == 2) return join_strided<Element, 2, 2>(from, count, to);
    if (row.stride == 2 && row.window == 3) return join_strided<Element, 2, 3>(from, count, to);
    for (int i = 0; i < count; ++i, from += row.stride) {
      Element all = from[0];
      for (int x = 1; x < row.window; ++x) all &= from[x];
      to[i] = all;
    }
  }

  // What most pools are: the compiler needs the numbers to load vectors.
  template <class Element, int kStride, int kWindow>
  static void join_strided(const Element* __restrict from, int count, Element* __restrict to) {
    for (int i = 0; i < count; ++i) {
      Element all = from[i * kStride];
      for (int x = 1; x < kWindow; ++x) all &= from[i * kStride + x];
      to[i] = all;
    }
  }

  static void join_wide_columns(const BitRow& row, const uint32_t* in, int count, uint32_t* __restrict out) {
    const int64_t step = static_cast<int64_t>(row.stride) * row.elements;
    for (int i = 0; i < count; ++i, in += step, out += row.elements) {
      const uint32_t* second = row.window > 1 ? in + row.elements : in;
      const uint32_t* third = row.window > 2 ? second + row.elements : second;
      for (int j = 0; j < row.elements; ++j) out[j] = in[j] & second[j] & third[j];
      for (int x = 3; x < row.window; ++x) {
        for (int j = 0; j < row.elements; ++j) out[j] &= in[x * row.elements + j];
      }
    }
  }
};

}  // namespace
}  // namespace mbnn
