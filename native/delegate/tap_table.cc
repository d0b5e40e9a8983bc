// Fills and shares tables of taps.
#include "delegate/tap_table.h"

namespace mbnn {

bool TapGeometry::operator==(const TapGeometry& other) const {
  return image == other.image && batch == other.batch && input_height == other.input_height &&
         input_width == other.input_width && words == other.words && height == other.height && width == other.width &&
         tile_pixels == other.tile_pixels;
}

bool TapTable::fill(const TapGeometry& geometry) {
  geometry_ = geometry;
  const size_t pixels = static_cast<size_t>(geometry.pixels());
  size_t taps;
  if (!multiply(pixels, static_cast<size_t>(geometry.taps()), &taps) || !taps_.allocate(taps) ||
      !tile_has_outside_.allocate((pixels - 1) / geometry.tile_pixels + 1) || !outside_.allocate(geometry.words)) {
    return false;
  }
  for (int64_t pixel = 0; pixel < geometry.pixels(); ++pixel) fill_pixel(pixel);
  return true;
}

// The pixels of a tile stand side by side: [tile][tap][pixel].
void TapTable::fill_pixel(int64_t pixel) {
  const TapGeometry& g = geometry_;
  const int64_t first_of_tile = pixel - pixel % g.tile_pixels;
  const int64_t left = g.pixels() - first_of_tile;
  const int64_t pixels = left < g.tile_pixels ? left : g.tile_pixels;
  const uint32_t** entry = taps_.data() + first_of_tile * g.taps() + pixel % g.tile_pixels;
  const int64_t column = pixel % g.width.output;
  const int64_t row = pixel / g.width.output % g.height.output;
  const int64_t image = pixel / g.width.output / g.height.output;
  for (int tap = 0; tap < g.taps(); ++tap, entry += pixels) {
    const int64_t y = g.height.start(row) + static_cast<int64_t>(tap / g.width.size) * g.height.dilation;
    const int64_t x = g.width.start(column) + static_cast<int64_t>(tap % g.width.size) * g.width.dilation;
    const bool inside = y >= 0 && y < g.input_height && x >= 0 && x < g.input_width;
    *entry = inside ? g.image + ((image * g.input_height + y) * g.input_width + x) * g.words : outside_.data();
    if (!inside) tile_has_outside_[static_cast<size_t>(pixel / g.tile_pixels)] = 1;
  }
}

TapTable* TapTables::acquire(const TapGeometry& geometry) {
  TapTable* table = first_;
  while (table != nullptr && !(table->geometry_ == geometry)) table = table->next_;
  if (table == nullptr) {
    table = create<TapTable>();
    if (table == nullptr || !table->fill(geometry)) {
      destroy(table);
      return nullptr;
    }
    table->next_ = first_;
    first_ = table;
  }
  ++table->users_;
  return table;
}

void TapTables::release(TapTable* table) {
  if (--table->users_ > 0) return;
  TapTable** link = &first_;
  while (*link != table) link = &(*link)->next_;
  *link = table->next_;
  destroy(table);
}

const TapTable* TapTableUse::find(TapTables& tables, const TapGeometry& geometry) {
  if (table_ != nullptr && table_->geometry().image == geometry.image) return table_;
  release();
  tables_ = &tables;
  table_ = tables.acquire(geometry);
  return table_;
}

void TapTableUse::release() {
  if (table_ != nullptr) tables_->release(table_);
  table_ = nullptr;
}

}  // namespace mbnn
