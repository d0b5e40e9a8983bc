// Reads integers out of an untrusted flexbuffer map: every offset is checked before it is followed.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace mbnn {

class FlexMap {
 public:
  // False if the bytes are no map. They must outlive this object.
  bool open(const void* bytes, size_t size);

  enum class Found { kYes, kMissing, kNotAnInteger };
  Found integer(const char* key, int64_t* value) const;

 private:
  bool read_unsigned(uint64_t position, uint64_t width, uint64_t* value) const;
  bool read_signed(uint64_t position, uint64_t width, int64_t* value) const;
  bool follow(uint64_t position, uint64_t width, uint64_t* target) const;
  bool key_is(uint64_t position, const char* key) const;
  Found value_at(uint64_t index, int64_t* value) const;

  const uint8_t* bytes_ = nullptr;
  uint64_t size_ = 0;
  uint64_t count_ = 0;   // of the map's entries
  uint64_t values_ = 0;  // where they start
  uint64_t width_ = 0;   // bytes of each
  uint64_t keys_ = 0;
  uint64_t key_width_ = 0;
};

}  // namespace mbnn
