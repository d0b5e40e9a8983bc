// Where each tap of each output pixel of a convolution reads. Convolutions of a partition that read alike share one.
#pragma once

#include "delegate/window.h"
#include "memory.h"

namespace mbnn {

// All that a table depends on.
struct TapGeometry {
  const uint32_t* image;
  int batch, input_height, input_width, words;  // words of a pixel, of all groups
  Window height, width;
  int tile_pixels;  // of the kernels

  bool operator==(const TapGeometry& other) const;
  int64_t pixels() const { return static_cast<int64_t>(batch) * height.output * width.output; }
  int taps() const { return height.size * width.size; }
};

class TapTable {
 public:
  bool fill(const TapGeometry& geometry);
  const TapGeometry& geometry() const { return geometry_; }
  // As in Conv.
  const uint32_t* const* taps_of_pixels() const { return taps_.data(); }
  const uint32_t* outside() const { return outside_.data(); }
  const uint8_t* tile_has_outside() const { return tile_has_outside_.data(); }

 private:
  friend class TapTables;

  void fill_pixel(int64_t pixel);

  TapGeometry geometry_ = {};
  Array<const uint32_t*> taps_;
  Array<uint8_t> tile_has_outside_;
  Array<uint32_t> outside_;  // zeros, which stand for +1
  int users_ = 0;
  TapTable* next_ = nullptr;
};

// The tables of a partition.
class TapTables {
 public:
  // A table that the caller must release; null if there is no memory.
  TapTable* acquire(const TapGeometry& geometry);
  void release(TapTable* table);

 private:
  TapTable* first_ = nullptr;
};

// One operator's table. Addresses are known when operators run, and stay what they are until the next resize, nearly
// always.
class TapTableUse {
 public:
  TapTableUse() = default;
  TapTableUse(const TapTableUse&) = delete;
  TapTableUse& operator=(const TapTableUse&) = delete;
  ~TapTableUse() { release(); }

  // The table that it has if the image is still where it was, else one of `tables`; null if there is no memory.
  const TapTable* find(TapTables& tables, const TapGeometry& geometry);
  // To be called after every resize.
  void release();

 private:
  TapTable* table_ = nullptr;
  TapTables* tables_ = nullptr;
};

}  // namespace mbnn
