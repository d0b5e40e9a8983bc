// Lets the library run out of memory: its calls of malloc and posix_memalign are linked to ours.
#pragma once

namespace mbnn::fuzz {

// While it lives, allocations above 128 KB fail, and the one with this number (from 1; 0 is none) does too.
class LimitedMemory {
 public:
  explicit LimitedMemory(int failing);
  LimitedMemory(const LimitedMemory&) = delete;
  LimitedMemory& operator=(const LimitedMemory&) = delete;
  ~LimitedMemory();
};

}  // namespace mbnn::fuzz
