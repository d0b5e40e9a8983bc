// Text that grows: what the answer is written into. Memory that runs out is remembered, and nothing more is written.
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace mbnn {

class Text {
 public:
  Text() = default;
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  ~Text() { free(data_); }

  bool failed() const { return failed_; }
  const char* data() const { return data_ == nullptr ? "" : data_; }
  size_t size() const { return size_; }
  void clear() { size_ = 0; }

  void add(const char* bytes, size_t count) {
    if (!reserve(count)) return;
    memcpy(data_ + size_, bytes, count);
    size_ += count;
    data_[size_] = '\0';
  }

  void add(const char* text) { add(text, strlen(text)); }

  void format(const char* pattern, ...) __attribute__((format(printf, 2, 3))) {
    va_list arguments;
    va_start(arguments, pattern);
    char small[512];
    const int length = vsnprintf(small, sizeof small, pattern, arguments);
    va_end(arguments);
    if (length < 0 || static_cast<size_t>(length) >= sizeof small) {
      failed_ = true;
      return;
    }
    add(small, static_cast<size_t>(length));
  }

  // As a JSON string, with its quotes. Bytes that are not ASCII are written as the characters of Latin 1.
  void quote(const char* bytes, size_t count) {
    add("\"", 1);
    for (size_t i = 0; i < count; ++i) {
      const unsigned char byte = static_cast<unsigned char>(bytes[i]);
      if (byte == '"' || byte == '\\') {
        const char escaped[2] = {'\\', static_cast<char>(byte)};
        add(escaped, 2);
      } else if (byte < 0x20 || byte > 0x7e) {
        format("\\u%04x", byte);
      } else {
        add(bytes + i, 1);
      }
    }
    add("\"", 1);
  }
  void quote(const char* text) { quote(text, strlen(text)); }

  // As a JSON string of base64, with its quotes.
  void base64(const uint8_t* bytes, size_t count) {
    static const char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    add("\"", 1);
    for (size_t i = 0; i < count; i += 3) {
      const size_t left = count - i;
      const uint32_t three = static_cast<uint32_t>(bytes[i]) << 16 | (left > 1 ? bytes[i + 1] : 0u) << 8 |
                             (left > 2 ? bytes[i + 2] : 0u);
      const char four[4] = {kDigits[three >> 18], kDigits[three >> 12 & 63], left > 1 ? kDigits[three >> 6 & 63] : '=',
                            left > 2 ? kDigits[three & 63] : '='};
      add(four, 4);
    }
    add("\"", 1);
  }

 private:
  bool reserve(size_t more) {
    if (failed_ || more > SIZE_MAX / 4 - size_) {
      failed_ = true;
      return false;
    }
    if (size_ + more + 1 <= capacity_) return true;
    const size_t capacity = 2 * (size_ + more + 1);
    char* grown = static_cast<char*>(realloc(data_, capacity));
    if (grown == nullptr) {
      failed_ = true;
      return false;
    }
    data_ = grown;
    capacity_ = capacity;
    return true;
  }

  char* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
  bool failed_ = false;
};

}  // namespace mbnn
