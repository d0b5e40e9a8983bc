#include "runner/json.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

namespace mbnn {
namespace {

// A place in a text that ends somewhere; every step is checked against the end.
class Cursor {
 public:
  Cursor(const char* text, size_t size) : at_(text), end_(text + size) {}

  const char* why() const { return why_; }
  bool fail(const char* why) {
    if (why_ == nullptr) why_ = why;
    return false;
  }

  bool take(char expected) {
    skip_spaces();
    if (at_ == end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }
  bool is_next(char expected) {
    skip_spaces();
    return at_ != end_ && *at_ == expected;
  }
  bool is_at_end() {
    skip_spaces();
    return at_ == end_;
  }

  // A string of at most `capacity` - 1 bytes, as UTF-8.
  bool string(char* to, size_t capacity) {
    if (!take('"')) return fail("a string is expected");
    size_t size = 0;
    while (at_ != end_ && *at_ != '"') {
      char bytes[4];
      const size_t count = character(bytes);
      if (count == 0) return false;
      if (size + count >= capacity) return fail("a string is too long");
      memcpy(to + size, bytes, count);
      size += count;
    }
    if (at_ == end_) return fail("a string does not end");
    ++at_;
    to[size] = '\0';
    return true;
  }

  bool number(double* value) {
    skip_spaces();
    char digits[64];
    size_t size = 0;
    while (at_ != end_ && strchr("+-.eE0123456789", *at_) != nullptr && *at_ != '\0') {
      if (size + 1 == sizeof digits) return fail("a number is too long");
      digits[size++] = *at_++;
    }
    digits[size] = '\0';
    char* rest = nullptr;
    *value = strtod(digits, &rest);
    return (size != 0 && *rest == '\0' && isfinite(*value)) || fail("a number is expected");
  }

  bool word(const char* expected) {
    skip_spaces();
    const size_t size = strlen(expected);
    if (static_cast<size_t>(end_ - at_) < size || memcmp(at_, expected, size) != 0) return false;
    at_ += size;
    return true;
  }

  bool value(JsonValue* to) {
    to->count = 0;
    if (is_next('"')) {
      to->kind = JsonValue::kString;
      return string(to->text, sizeof to->text);
    }
    if (take('[')) return numbers(to);
    if (word("null")) {
      to->kind = JsonValue::kNull;
    } else if (word("true")) {
      to->kind = JsonValue::kTrue;
    } else if (word("false")) {
      to->kind = JsonValue::kFalse;
    } else if (is_next('{')) {
      return fail("an object in an object is not expected");
    } else {
      to->kind = JsonValue::kNumber;
      return number(&to->number);
    }
    return true;
  }

 private:
  void skip_spaces() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }

  bool numbers(JsonValue* to) {
    to->kind = JsonValue::kNumbers;
    if (take(']')) return true;
    do {
      if (to->count == JsonValue::kMaxNumbers) return fail("an array is too long");
      if (!number(&to->numbers[to->count++])) return false;
    } while (take(','));
    return take(']') || fail("an array does not end");
  }

  // One character of a string, 0 bytes if it is none.
  size_t character(char* bytes) {
    const unsigned char byte = static_cast<unsigned char>(*at_++);
    if (byte < 0x20) return fail("a string holds a control character");
    if (byte != '\\') {
      bytes[0] = static_cast<char>(byte);
      return 1;
    }
    if (at_ == end_) return fail("a string does not end");
    const char letter = *at_++;
    static const char kLetters[] = "\"\\/bfnrt";
    static const char kMeanings[] = "\"\\/\b\f\n\r\t";
    const char* found = letter == '\0' ? nullptr : strchr(kLetters, letter);
    if (found != nullptr) {
      bytes[0] = kMeanings[found - kLetters];
      return 1;
    }
    if (letter != 'u') return fail("a string holds an unknown escape");
    return unicode(bytes);
  }

  size_t unicode(char* bytes) {
    uint32_t code;
    if (!four_digits(&code)) return 0;
    if (code >= 0xd800 && code < 0xdc00) {
      uint32_t low;
      if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return fail("half of a character is missing");
      at_ += 2;
      if (!four_digits(&low)) return 0;
      if (low < 0xdc00 || low > 0xdfff) return fail("half of a character is missing");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code == 0) return fail("a string holds a zero");
    if (code < 0x80) {
      bytes[0] = static_cast<char>(code);
      return 1;
    }
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint8_t kFirst[] = {0, 0xc0, 0xe0, 0xf0};
    bytes[0] = static_cast<char>(kFirst[more] | code >> 6 * more);
    for (int i = 1; i <= more; ++i) bytes[i] = static_cast<char>(0x80 | (code >> 6 * (more - i) & 63));
    return static_cast<size_t>(more) + 1;
  }

  bool four_digits(uint32_t* code) {
    *code = 0;
    for (int i = 0; i < 4; ++i) {
      if (at_ == end_) return fail("a string does not end");
      const char digit = *at_++;
      const int value = digit >= '0' && digit <= '9'   ? digit - '0'
                        : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                        : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                                       : -1;
      if (value < 0) return fail("an escape is not hexadecimal");
      *code = *code << 4 | static_cast<uint32_t>(value);
    }
    return true;
  }

  const char* at_;
  const char* end_;
  const char* why_ = nullptr;
};

constexpr size_t kMaxName = 64;

// Calls `use` with each field until it returns true. False if the text is not an object.
template <class Use>
bool for_each_field(Cursor* cursor, JsonValue* value, Use use) {
  if (!cursor->take('{')) return cursor->fail("an object is expected");
  if (!cursor->take('}')) {
    do {
      char name[kMaxName];
      if (!cursor->string(name, sizeof name)) return false;
      if (!cursor->take(':')) return cursor->fail("a colon is expected");
      if (!cursor->value(value)) return false;
      if (use(name)) return true;
    } while (cursor->take(','));
    if (!cursor->take('}')) return cursor->fail("an object does not end");
  }
  return cursor->is_at_end() || cursor->fail("something follows the object");
}

}  // namespace

bool JsonObject::parse(const char* text, size_t size) {
  text_ = text;
  size_ = size;
  if (size > kMaxBytes) {
    why_ = "it is too long";
    return false;
  }
  static JsonValue value;  // too large for a small stack
  Cursor cursor(text, size);
  if (for_each_field(&cursor, &value, [](const char*) { return false; })) return true;
  why_ = cursor.why();
  return false;
}

bool JsonObject::find(const char* name, JsonValue* value) const {
  Cursor cursor(text_, size_);
  bool found = false;
  for_each_field(&cursor, value, [&](const char* other) { return found = strcmp(name, other) == 0; });
  if (!found) value->kind = JsonValue::kNone;
  return found;
}

}  // namespace mbnn
