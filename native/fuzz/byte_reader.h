// Takes a fuzzer's input apart: numbers in a row, zeros once the bytes are used up.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vector>

namespace mbnn::fuzz {

class ByteReader {
 public:
  ByteReader(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

  uint8_t byte() {
    if (size_ == 0) return 0;
    --size_;
    return *bytes_++;
  }
  int below(int bound) { return byte() % bound; }
  int two_bytes() {
    const int low = byte();
    return low | byte() << 8;
  }
  // Fewer if fewer are left.
  std::vector<uint8_t> bytes(size_t count) {
    if (count > size_) count = size_;
    std::vector<uint8_t> taken(bytes_, bytes_ + count);
    bytes_ += count;
    size_ -= count;
    return taken;
  }

 private:
  const uint8_t* bytes_;
  size_t size_;
};

}  // namespace mbnn::fuzz
