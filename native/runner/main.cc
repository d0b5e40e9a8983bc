// Measures one file with one engine: a JSON question on standard input, a JSON answer on standard output, as the Python
// worker does (mobile_bnn/profiling/messages.py), for devices without Python.
//
//   mobile_bnn_runner [--tflite LIBRARY] [--delegate LIBRARY] < request.json
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "runner/condition.h"
#include "runner/machine.h"
#include "runner/measure.h"

namespace mbnn {
namespace {

constexpr char kUsage[] =
    "usage: mobile_bnn_runner [--tflite LIBRARY] [--delegate LIBRARY] < request.json\n"
    "Measures a .tflite file: a JSON request on standard input, a JSON answer on standard output.\n"
    "Without options the libraries are looked for beside this program.\n";

// The folder of this program.
void own_folder(char* folder, size_t size) {
  const ssize_t length = readlink("/proc/self/exe", folder, size - 1);
  folder[length < 0 ? 0 : length] = '\0';
  char* slash = strrchr(folder, '/');
  if (slash != nullptr) {
    *slash = '\0';
  } else {
    snprintf(folder, size, ".");
  }
}

bool read_all(Text* to) {
  static char block[1 << 16];
  ssize_t count;
  while ((count = read(0, block, sizeof block)) > 0) {
    to->add(block, static_cast<size_t>(count));
    if (to->failed() || to->size() > JsonObject::kMaxBytes) return false;
  }
  return count == 0;
}

void write_engine(const char* name, const char* version, const char* kernels, const char* further,
                  const char* unavailable, Text* to) {
  to->format("{\"name\":\"%s\",\"version\":", name);
  to->quote(version);
  to->format(",\"kernels\":%s,\"further_kernels\":%s,\"unavailable\":", kernels, further);
  to->quote(unavailable);
  to->add("}");
}

void describe(const Runtime& runtime, Text* to) {
  to->format("{\"protocol\":%d,\"machine\":", kProtocol);
  write_machine(to);
  to->add(",\"condition\":");
  write_condition("/sys", nullptr, 0, to);
  to->add(",\"engines\":[");
  write_engine("delegate", runtime.has_library ? runtime.library.version() : "unknown", "[\"auto\"]",
               "[\"avx512\",\"avx2\",\"sse4\",\"neon_dot\",\"neon\",\"portable\"]", runtime.why_no_library, to);
  to->add(",");
  write_engine("litert", runtime.tflite.version(), "[\"xnnpack\"]", "[\"plain\"]", "", to);
  to->add("]}");
}

void write_failure(const Failure& failure, Text* to) {
  to->add("[");
  to->quote(failure.what);
  to->add(",");
  to->quote(failure.why);
  to->add(",");
  to->quote(failure.cure);
  to->add("]");
}

bool choose_engine(const Runtime& runtime, const Request& request, const char** version, Failure* failure) {
  if (strcmp(request.engine, "litert") == 0) {
    *version = runtime.tflite.version();
    return true;
  }
  if (strcmp(request.engine, "delegate") != 0) {
    return fail(failure, "The runner has delegate and litert", "unknown engine '%s'", request.engine);
  }
  if (!runtime.has_library) {
    fail(failure, "", "the native library cannot be loaded");
    snprintf(failure->why, sizeof failure->why, "%s", runtime.why_no_library);
    return false;
  }
  *version = runtime.library.version();
  return true;
}

void answer(const Runtime& runtime, const JsonObject& object, Text* to) {
  Failure failure;
  static Request request;  // too large for a small stack
  Text machine, figures;
  write_machine(&machine);  // its load is to be that before measuring
  const char* version = "";
  char kernel[64] = "";
  bool asks_what_it_is = false;
  bool good = read_question(object, &asks_what_it_is, &failure);
  if (good && asks_what_it_is) return describe(runtime, to);
  good = good && read_request(object, &request, &failure) && choose_engine(runtime, request, &version, &failure);
  if (good) {
    snprintf(kernel, sizeof kernel, "%s", request.kernel);
    good = measure(runtime, request, &figures, kernel, sizeof kernel, &failure);
  }
  to->format("{\"protocol\":%d,\"machine\":", kProtocol);
  to->add(machine.data(), machine.size());
  to->add(",\"engine_version\":");
  to->quote(version);
  to->add(",\"kernel\":");
  to->quote(kernel);
  if (good) {
    to->add(",\"figures\":");
    to->add(figures.data(), figures.size());
  } else {
    to->add(",\"error\":");
    write_failure(failure, to);
  }
  to->add("}");
}

void answer_malformed(const char* why, Text* to) {
  Failure failure;
  fail(&failure, "", "the host sent a message that cannot be read");
  snprintf(failure.why, sizeof failure.why, "%s", why);
  to->format("{\"protocol\":%d,\"machine\":", kProtocol);
  write_machine(to);
  to->add(",\"engine_version\":\"\",\"kernel\":\"\",\"error\":");
  write_failure(failure, to);
  to->add("}");
}

}  // namespace
}  // namespace mbnn

int main(int count, char** arguments) {
  using namespace mbnn;
  const char* tflite = nullptr;
  const char* delegate = nullptr;
  for (int i = 1; i < count; ++i) {
    const bool has_value = i + 1 < count;
    if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
      dprintf(1, "%s", kUsage);
      return 0;
    }
    if (strcmp(arguments[i], "--tflite") == 0 && has_value) {
      tflite = arguments[++i];
    } else if (strcmp(arguments[i], "--delegate") == 0 && has_value) {
      delegate = arguments[++i];
    } else {
      dprintf(2, "mobile_bnn_runner: unknown option %s\n%s", arguments[i], kUsage);
      return 2;
    }
  }
  // Libraries may print: only the answer goes to the real standard output, all else to standard error.
  const int answer_to = dup(1);
  dup2(2, 1);
  char folder[PATH_MAX], why[1024] = "";
  own_folder(folder, sizeof folder);
  Runtime runtime;
  if (!load_tflite(tflite, folder, &runtime.tflite, why, sizeof why)) {
    dprintf(2, "mobile_bnn_runner: no TFLite library can be loaded: %s\n", why);
    return 1;
  }
  runtime.has_library =
      load_library(delegate, folder, &runtime.library, runtime.why_no_library, sizeof runtime.why_no_library);
  if (runtime.has_library) runtime.why_no_library[0] = '\0';
  Text question, reply;
  JsonObject object;
  if (!read_all(&question)) {
    answer_malformed("it is too long", &reply);
  } else if (!object.parse(question.data(), question.size())) {
    answer_malformed(object.why(), &reply);
  } else {
    answer(runtime, object, &reply);
  }
  if (reply.failed()) {
    dprintf(2, "mobile_bnn_runner: out of memory\n");
    return 1;
  }
  size_t written = 0;
  while (written < reply.size()) {
    const ssize_t more = write(answer_to, reply.data() + written, reply.size() - written);
    if (more <= 0) return 1;
    written += static_cast<size_t>(more);
  }
  return 0;
}
