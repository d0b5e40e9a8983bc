// Reads a JSON object of strings, numbers, booleans, null and arrays of numbers: what a request is made of.
#pragma once

#include <stddef.h>

namespace mbnn {

struct JsonValue {
  enum Kind { kNone, kNull, kTrue, kFalse, kNumber, kString, kNumbers };
  static constexpr size_t kMaxText = 4096;
  static constexpr int kMaxNumbers = 1024;

  Kind kind = kNone;
  double number = 0;
  char text[kMaxText] = "";
  double numbers[kMaxNumbers] = {};
  int count = 0;
};

// One object, whose text it does not own. Nested objects are refused.
class JsonObject {
 public:
  static constexpr size_t kMaxBytes = 1 << 20;

  // False if the text is not such an object; `why` says what is wrong.
  bool parse(const char* text, size_t size);
  const char* why() const { return why_; }

  // False if there is no such field.
  bool find(const char* name, JsonValue* value) const;

 private:
  const char* text_ = nullptr;
  size_t size_ = 0;
  const char* why_ = "";
};

}  // namespace mbnn
