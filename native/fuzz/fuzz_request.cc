// libFuzzer target: the runner's reader of requests, on bytes that are anything; and what its writer of strings makes.
#include <math.h>
#include <stdlib.h>

#include <memory>
#include <string>

#include "runner/request.h"
#include "runner/text.h"

namespace {

using mbnn::JsonObject;
using mbnn::JsonValue;

JsonValue value;  // too large for a stack

void check(bool holds) {
  if (!holds) abort();
}

bool is_terminated(const char* text, size_t size) { return memchr(text, '\0', size) != nullptr; }

void check_value(const JsonObject& object, const char* name) {
  if (!object.find(name, &value)) return check(value.kind == JsonValue::kNone);
  switch (value.kind) {
    case JsonValue::kString: return check(is_terminated(value.text, sizeof value.text));
    case JsonValue::kNumber: return check(isfinite(value.number));
    case JsonValue::kNumbers: return check(value.count >= 0 && value.count <= JsonValue::kMaxNumbers);
    default: return check(value.kind != JsonValue::kNone);
  }
}

// Whatever is accepted lies within its bounds; what is refused, is refused with words.
void check_request(const JsonObject& object) {
  mbnn::Failure failure;
  bool describe = false;
  if (!mbnn::read_question(object, &describe, &failure)) check(failure.what[0] != '\0');
  static mbnn::Request request;
  request = {};
  if (!mbnn::read_request(object, &request, &failure)) return check(failure.what[0] != '\0');
  check(request.threads >= 1 && request.threads <= 256 && request.runs >= 1 && request.warmup >= -1);
  check(request.min_seconds >= 0 && isfinite(request.max_seconds) && request.samples >= 0 && request.samples <= 4096);
  check(is_terminated(request.path, sizeof request.path) && is_terminated(request.inputs, sizeof request.inputs));
  check(request.cpu_count >= 0 && request.cpu_count <= JsonValue::kMaxNumbers);
  for (int i = 0; i < request.cpu_count; ++i) check(request.cpus[i] >= 0 && request.cpus[i] <= 1023);
}

// A string that the runner writes is read again as the same characters, those of Latin 1 in UTF-8.
void check_quote(const uint8_t* bytes, size_t size) {
  if (size > JsonValue::kMaxText / 2 - 1 || memchr(bytes, 0, size) != nullptr) return;
  std::string expected;
  for (size_t i = 0; i < size; ++i) {
    if (bytes[i] >= 0x80) expected += static_cast<char>(0xc0 | bytes[i] >> 6);
    expected += static_cast<char>(bytes[i] < 0x80 ? bytes[i] : 0x80 | (bytes[i] & 63));
  }
  mbnn::Text text;
  text.add("{\"x\":");
  text.quote(reinterpret_cast<const char*>(bytes), size);
  text.add("}");
  JsonObject object;
  check(object.parse(text.data(), text.size()) && object.find("x", &value));
  check(value.kind == JsonValue::kString && expected == value.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size != 0) check_quote(bytes, size);
  // A heap block of just that size: the sanitizer sees the first byte beyond.
  const std::unique_ptr<char[]> copy(new char[size]);
  if (size != 0) memcpy(copy.get(), bytes, size);
  JsonObject object;
  if (!object.parse(copy.get(), size)) {
    check(object.why()[0] != '\0');
    return 0;
  }
  for (const char* name : {"protocol", "ask", "path", "cpus", "x", ""}) check_value(object, name);
  check_request(object);
  return 0;
}
