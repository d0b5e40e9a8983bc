// The bounded reader of flexbuffer maps. All positions are 64-bit and every sum is of numbers known to be below size_.
#include "delegate/flexbuffer.h"

#include <string.h>

namespace mbnn {
namespace {

enum Type { kInt = 1, kUint = 2, kIndirectInt = 6, kIndirectUint = 7, kMap = 9 };

bool is_width(uint64_t width) { return width == 1 || width == 2 || width == 4 || width == 8; }

}  // namespace

bool FlexMap::read_unsigned(uint64_t position, uint64_t width, uint64_t* value) const {
  if (position > size_ || size_ - position < width) return false;
  uint64_t result = 0;
  for (uint64_t i = 0; i < width; ++i) result |= static_cast<uint64_t>(bytes_[position + i]) << (8 * i);
  *value = result;
  return true;
}

bool FlexMap::read_signed(uint64_t position, uint64_t width, int64_t* value) const {
  uint64_t bits;
  if (!read_unsigned(position, width, &bits)) return false;
  const int unused = static_cast<int>(64 - 8 * width);
  *value = static_cast<int64_t>(bits << unused) >> unused;
  return true;
}

// Offsets of flexbuffers point backwards from where they are stored.
bool FlexMap::follow(uint64_t position, uint64_t width, uint64_t* target) const {
  uint64_t offset;
  if (!read_unsigned(position, width, &offset) || offset > position) return false;
  *target = position - offset;
  return true;
}

bool FlexMap::open(const void* bytes, size_t size) {
  bytes_ = static_cast<const uint8_t*>(bytes);
  size_ = size;
  if (bytes_ == nullptr || size_ < 3) return false;
  // The end holds the root value, its type with its width, and the width of the root's own slot.
  const uint64_t root_width = bytes_[size_ - 1];
  const uint8_t packed_type = bytes_[size_ - 2];
  if (!is_width(root_width) || size_ - 2 < root_width || packed_type >> 2 != kMap) return false;
  width_ = uint64_t{1} << (packed_type & 3);
  if (!follow(size_ - 2 - root_width, root_width, &values_)) return false;
  // Before a map's values: the offset of its keys, the width of a key's slot, the number of entries.
  if (values_ < 3 * width_) return false;
  if (!read_unsigned(values_ - width_, width_, &count_) || count_ > size_) return false;
  if (!read_unsigned(values_ - 2 * width_, width_, &key_width_) || !is_width(key_width_)) return false;
  return follow(values_ - 3 * width_, width_, &keys_);
}

bool FlexMap::key_is(uint64_t position, const char* key) const {
  const size_t length = strlen(key) + 1;
  return position < size_ && size_ - position >= length && memcmp(bytes_ + position, key, length) == 0;
}

FlexMap::Found FlexMap::value_at(uint64_t index, int64_t* value) const {
  uint64_t packed_type;
  if (!read_unsigned(values_ + count_ * width_ + index, 1, &packed_type)) return Found::kNotAnInteger;
  uint64_t position = values_ + index * width_;
  uint64_t width = width_;
  const uint64_t type = packed_type >> 2;
  if (type == kIndirectInt || type == kIndirectUint) {
    if (!follow(position, width, &position)) return Found::kNotAnInteger;
    width = uint64_t{1} << (packed_type & 3);
  }
  bool read = false;
  if (type == kInt || type == kIndirectInt) {
    read = read_signed(position, width, value);
  } else if (type == kUint || type == kIndirectUint) {
    uint64_t bits = 0;
    read = read_unsigned(position, width, &bits) && bits <= INT64_MAX;
    *value = static_cast<int64_t>(bits);
  }
  return read ? Found::kYes : Found::kNotAnInteger;
}

FlexMap::Found FlexMap::integer(const char* key, int64_t* value) const {
  for (uint64_t i = 0; i < count_; ++i) {
    uint64_t position;
    if (!follow(keys_ + i * key_width_, key_width_, &position)) return Found::kMissing;
    if (key_is(position, key)) return value_at(i, value);
  }
  return Found::kMissing;
}

}  // namespace mbnn
