#include "runner/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

namespace mbnn {
namespace {

constexpr char kSender[] = "the host sent a message that cannot be read";
constexpr int kMaxThreads = 256;
constexpr int kMaxRuns = 1000000000;

// Fields of a request, each of which reports once what is wrong with it.
class Fields {
 public:
  Fields(const JsonObject& object, Failure* failure) : object_(object), failure_(failure) {}

  bool good() const { return good_; }

  void text(const char* name, char* to, size_t size, bool needed) {
    if (!find(name, needed)) return;
    if (value().kind != JsonValue::kString || strlen(value().text) >= size) return wrong(name, "a text is expected");
    snprintf(to, size, "%s", value().text);
  }

  void number(const char* name, double low, double high, double* to, bool needed) {
    if (!find(name, needed)) return;
    if (value().kind != JsonValue::kNumber || value().number < low || value().number > high) {
      return wrong(name, "it is not a number in its range");
    }
    *to = value().number;
  }

  void whole(const char* name, int low, int high, int* to, bool needed) {
    double number_read = *to;
    number(name, low, high, &number_read, needed);
    if (good_ && number_read != static_cast<int>(number_read)) return wrong(name, "a whole number is expected");
    *to = static_cast<int>(number_read);
  }

  void flag(const char* name, bool* to) {
    if (!find(name, false)) return;
    if (value().kind != JsonValue::kTrue && value().kind != JsonValue::kFalse) {
      return wrong(name, "true or false is expected");
    }
    *to = value().kind == JsonValue::kTrue;
  }

  void numbers(const char* name, double low, double high, double* to, int* count) {
    if (!find(name, false)) return;
    if (value().kind != JsonValue::kNumbers) return wrong(name, "numbers are expected");
    for (int i = 0; i < value().count; ++i) {
      if (value().numbers[i] < low || value().numbers[i] > high) return wrong(name, "a number is out of range");
      to[i] = value().numbers[i];
    }
    *count = value().count;
  }

  // Whether it is there and not null.
  bool is_given(const char* name) { return object_.find(name, &value()) && value().kind != JsonValue::kNull; }

 private:
  static JsonValue& value() {
    static JsonValue found;  // too large for a small stack
    return found;
  }

  bool find(const char* name, bool needed) {
    if (!good_) return false;
    if (object_.find(name, &value())) return true;
    if (needed) wrong(name, "it is missing");
    return false;
  }

  void wrong(const char* name, const char* why) {
    good_ = fail(failure_, "", "%s", kSender);
    snprintf(failure_->why, sizeof failure_->why, "%s: %s", name, why);
  }

  const JsonObject& object_;
  Failure* failure_;
  bool good_ = true;
};

}  // namespace

bool fail(Failure* failure, const char* cure, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure->what, sizeof failure->what, format, arguments);
  va_end(arguments);
  snprintf(failure->cure, sizeof failure->cure, "%s", cure);
  return false;
}

bool read_question(const JsonObject& object, bool* describe, Failure* failure) {
  Fields fields(object, failure);
  double protocol = 0;
  fields.number("protocol", -1e9, 1e9, &protocol, false);
  if (!fields.good()) return false;
  if (protocol != kProtocol) {
    fail(failure, "Install the same mobile_bnn on both sides", "the host speaks protocol %g", protocol);
    snprintf(failure->why, sizeof failure->why, "this runner speaks protocol %d", kProtocol);
    return false;
  }
  char ask[16] = "";
  fields.text("ask", ask, sizeof ask, true);
  if (!fields.good()) return false;
  *describe = strcmp(ask, "describe") == 0;
  return *describe || strcmp(ask, "measure") == 0 || fail(failure, "", "the host asks for something unknown");
}

bool read_request(const JsonObject& object, Request* request, Failure* failure) {
  Fields fields(object, failure);
  fields.text("engine", request->engine, sizeof request->engine, true);
  fields.text("kernel", request->kernel, sizeof request->kernel, true);
  fields.text("path", request->path, sizeof request->path, true);
  fields.whole("threads", 1, kMaxThreads, &request->threads, true);
  fields.whole("runs", 1, kMaxRuns, &request->runs, true);
  if (fields.is_given("warmup")) fields.whole("warmup", 0, kMaxRuns, &request->warmup, false);
  fields.number("min_seconds", 0, 1e6, &request->min_seconds, false);
  fields.number("max_seconds", -1e6, 1e6, &request->max_seconds, true);
  fields.numbers("cpus", 0, 1023, request->cpus, &request->cpu_count);
  fields.flag("operators", &request->operators);
  fields.flag("peak", &request->peak);
  fields.text("inputs", request->inputs, sizeof request->inputs, false);
  fields.whole("samples", 0, 4096, &request->samples, false);
  return fields.good();
}

}  // namespace mbnn
