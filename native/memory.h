// Memory without a C++ runtime: arrays on malloc, objects in it, size arithmetic that cannot overflow.
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <new>

namespace mbnn {

// One cache line, and the widest vector.
constexpr size_t kAlignment = 64;

// a * b into *product; false if it does not fit.
template <class T>
inline bool multiply(T a, T b, T* product) {
  return !__builtin_mul_overflow(a, b, product);
}

// A zeroed, aligned array of plain values. Allocation can fail, so it is a call of its own.
template <class T>
class Array {
 public:
  Array() = default;
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { free(data_); }

  // Drops what it held. False, and empty, if there is no memory.
  bool allocate(size_t size) {
    free(data_);
    data_ = nullptr;
    size_ = 0;
    size_t bytes;
    if (!multiply(size, sizeof(T), &bytes)) return false;
    void* memory = nullptr;
    // No byte more than asked for, or a sanitizer would not see one that is read beyond.
    if (posix_memalign(&memory, kAlignment, bytes == 0 ? 1 : bytes) != 0) return false;
    memset(memory, 0, bytes);
    data_ = static_cast<T*>(memory);
    size_ = size;
    return true;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

// An object on malloc, or null.
template <class T>
T* create() {
  void* memory = nullptr;
  return posix_memalign(&memory, kAlignment, sizeof(T)) == 0 ? new (memory) T() : nullptr;
}

template <class T>
void destroy(T* object) {
  if (object == nullptr) return;
  object->~T();
  free(object);
}

}  // namespace mbnn
