#include "runner/measure.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "runner/condition.h"
#include "runner/sha256.h"

namespace mbnn {
namespace {

constexpr int kFewestRuns = 5;
constexpr int kMostOperatorRuns = 20;
constexpr int kMostOperatorWarmUp = 3;
constexpr double kOperatorNs = 5e8;     // that the operators' inferences may take, of 2 at least
constexpr int kWindow = 5;              // latencies, compared with as many before
constexpr double kClose = 0.02;         // how far apart their medians may be
constexpr int64_t kLeastNs = 50000000;  // a clock may take that long to rise
constexpr double kShare = 0.25;         // of the time that the whole measurement has

int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

int64_t in_ns(double seconds) { return static_cast<int64_t>(seconds * 1e9); }

bool read_file(const char* path, Array<uint8_t>* to, Failure* failure) {
  FILE* file = fopen(path, "rb");
  struct stat facts;
  const bool opened = file != nullptr && fstat(fileno(file), &facts) == 0;
  const bool read = opened && to->allocate(static_cast<size_t>(facts.st_size)) &&
                    fread(to->data(), 1, to->size(), file) == to->size();
  const int error = errno;
  if (file != nullptr) fclose(file);
  return read || fail(failure, "", "the file %s cannot be read: %s", path, strerror(error));
}

bool pin(const Request& request, Failure* failure) {
  if (request.cpu_count == 0) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < request.cpu_count; ++i) CPU_SET(static_cast<size_t>(request.cpus[i]), &set);
  return sched_setaffinity(0, sizeof set, &set) == 0 ||
         fail(failure, "", "the process cannot be pinned to its cores: %s", strerror(errno));
}

// The most memory that this process has had resident.
long long peak_memory_bytes() {
  FILE* file = fopen("/proc/self/status", "r");
  long long kilobytes = 0;
  char line[256];
  while (file != nullptr && fgets(line, sizeof line, file) != nullptr) {
    if (sscanf(line, "VmHWM: %lld", &kilobytes) == 1) break;
  }
  if (file != nullptr) fclose(file);
  return 1024 * kilobytes;
}

int64_t median_of(const int64_t* values) {
  int64_t sorted[kWindow];
  for (int i = 0; i < kWindow; ++i) {
    int j = i;
    for (; j > 0 && sorted[j - 1] > values[i]; --j) sorted[j] = sorted[j - 1];
    sorted[j] = values[i];
  }
  return sorted[kWindow / 2];
}

class Measurement {
 public:
  Measurement(Session* session, const Request& request, Failure* failure)
      : session_(session), request_(request), failure_(failure) {}

  // Inferences that do not count: as many as are asked for, as long as half of the time is not over, or until they are
  // stable.
  bool warm_up(int64_t began) {
    const int64_t end = began + in_ns(request_.max_seconds * (request_.warmup < 0 ? kShare : 0.5));
    int64_t last[2 * kWindow] = {};
    for (int64_t now = nanoseconds(); now < end; ++warmup_runs_) {
      if (request_.warmup >= 0 && warmup_runs_ == request_.warmup) break;
      if (request_.warmup < 0 && now - began >= kLeastNs && is_stable(last)) break;
      if (!invoke()) return false;
      const int64_t before = now;
      now = nanoseconds();
      memmove(last, last + 1, sizeof last - sizeof *last);
      last[2 * kWindow - 1] = now - before;
    }
    return true;
  }

  bool time(int64_t began) {
    int64_t now = nanoseconds();
    const int64_t least = now + in_ns(request_.min_seconds), last = began + in_ns(request_.max_seconds);
    to_.add("[");
    for (int run = 0; (run < request_.runs || now < least) && (now < last || run < kFewestRuns); ++run) {
      if (!invoke()) return false;
      const int64_t before = now;
      now = nanoseconds();
      // Written between two runs, which costs them nothing but some lines of the first cache.
      to_.format("%s%.6f", run == 0 ? "" : ",", static_cast<double>(now - before) / 1e6);
      total_ns_ += static_cast<double>(now - before);
      ++runs_;
      now = nanoseconds();
    }
    to_.add("]");
    return true;
  }

  int warmup_runs() const { return warmup_runs_; }
  double mean_ns() const { return total_ns_ / runs_; }
  const Text& latencies() const { return to_; }

 private:
  bool is_stable(const int64_t* last) const {
    if (warmup_runs_ < 2 * kWindow) return false;
    const double older = static_cast<double>(median_of(last)), newer = static_cast<double>(median_of(last + kWindow));
    return newer - older <= kClose * older && older - newer <= kClose * older;
  }

  bool invoke() { return session_->invoke() || fail(failure_, "", "an inference failed: %s", last_report()); }

  Session* session_;
  const Request& request_;
  Failure* failure_;
  int warmup_runs_ = 0;
  double total_ns_ = 0;
  int runs_ = 0;
  Text to_;
};

// Inferences in which operators are timed, after some that do not count.
struct OperatorRuns {
  explicit OperatorRuns(double inference_ns) {
    const double room = kOperatorNs / inference_ns;
    runs = room < 2 ? 2 : room > kMostOperatorRuns ? kMostOperatorRuns : static_cast<int>(room);
    warm_up = runs / 2 < kMostOperatorWarmUp ? runs / 2 : kMostOperatorWarmUp;
  }
  int all() const { return warm_up + runs; }

  int runs, warm_up;
};

// The contents of a log with the places where each inference ended in it.
bool write_log(const char* name, const char* path, const long* ends, int count, Text* to, Failure* failure) {
  Array<uint8_t> content;
  if (!read_file(path, &content, failure)) return false;
  to->format("\"%s\":", name);
  to->quote(reinterpret_cast<const char*>(content.data()), content.size());
  to->format(",\"%s_ends\":[", name);
  for (int i = 0; i < count; ++i) to->format("%s%ld", i == 0 ? "" : ",", ends[i]);
  to->add("]");
  return true;
}

long size_of(const char* path) {
  struct stat facts;
  return stat(path, &facts) == 0 ? static_cast<long>(facts.st_size) : 0;
}

const char* temporary_folder() {
  const char* chosen = getenv("TMPDIR");
  if (chosen != nullptr && access(chosen, W_OK) == 0) return chosen;
  return access("/tmp", W_OK) == 0 ? "/tmp" : "/data/local/tmp";  // Android has no /tmp
}

// Every operator's times, as our library wrote them; the host has the file and makes sense of them.
bool trace(const Runtime& runtime, const Array<uint8_t>& model, const Request& request, bool xnnpack,
           const OperatorRuns& runs, Text* to, Failure* failure) {
  char own[PATH_MAX], every[PATH_MAX];
  const char* folder = temporary_folder();
  snprintf(own, sizeof own, "%s/mobile_bnn-%ld.own", folder, static_cast<long>(getpid()));
  snprintf(every, sizeof every, "%s/mobile_bnn-%ld.every", folder, static_cast<long>(getpid()));
  constexpr int kMost = kMostOperatorWarmUp + kMostOperatorRuns;
  long own_ends[kMost], every_ends[kMost];
  Session session(runtime);
  bool good = session.load(model, request, xnnpack, own, every, failure);
  // The first inference, which fills the inputs, is one of those that do not count.
  for (int i = 0; good && i < runs.all(); ++i) {
    good = i == 0 ? session.fill_inputs(failure) : session.invoke() || fail(failure, "", "an inference failed");
    own_ends[i] = size_of(own);
    every_ends[i] = size_of(every);
  }
  FILE* file = fopen(own, "a");  // it is not there without our library
  if (file != nullptr) fclose(file);
  to->format("{\"warm_up\":%d,", runs.warm_up);
  good = good && write_log("own", own, own_ends, runs.all(), to, failure);
  to->add(",");
  good = good && write_log("every", every, every_ends, runs.all(), to, failure);
  to->add("}");
  unlink(own);
  unlink(every);
  return good;
}

bool write_outputs(Session* session, const Request& request, Text* to, Failure* failure) {
  Array<uint8_t> content;
  if (!read_file(request.inputs, &content, failure)) return false;
  const size_t size = session->input_bytes(), samples = static_cast<size_t>(request.samples);
  if (content.size() != size * samples) {
    return fail(failure, "", "%zu bytes of inputs are not %zu samples of %zu bytes", content.size(), samples, size);
  }
  const size_t outputs = static_cast<size_t>(session->output_count());
  Array<Array<uint8_t>> all;
  if (!all.allocate(outputs)) return fail(failure, "", "out of memory");
  bool good = true;
  for (size_t sample = 0; good && sample < samples; ++sample) {
    session->set_inputs(content.data() + sample * size);
    good = session->invoke() || fail(failure, "", "an inference failed: %s", last_report());
    for (size_t i = 0; good && i < outputs; ++i) {
      const Array<uint8_t>& bytes = session->output(static_cast<int>(i));
      if (sample == 0) good = all[i].allocate(bytes.size() * samples) || fail(failure, "", "out of memory");
      good = good && (bytes.size() * samples == all[i].size() || fail(failure, "", "outputs differ in size"));
      if (good) memcpy(all[i].data() + sample * bytes.size(), bytes.data(), bytes.size());
    }
  }
  to->add("[");
  for (size_t i = 0; i < outputs; ++i) {
    if (i != 0) to->add(",");
    to->base64(all[i].data(), all[i].size());
    all[i].~Array<uint8_t>();
  }
  to->add("]");
  return good;
}

void name_kernel(const Runtime& runtime, const Request& request, char* kernel, size_t size) {
  snprintf(kernel, size, "%s", request.kernel);
  if (strcmp(request.engine, "delegate") != 0) return;
  const char* isa = strcmp(request.kernel, "auto") == 0 ? runtime.library.default_isa() : request.kernel;
  int pixels = 0, channels = 0;
  if (runtime.library.tile(isa, &pixels, &channels)) snprintf(kernel, size, "%s-%dx%d", isa, pixels, channels);
}

}  // namespace

bool measure(const Runtime& runtime, const Request& request, Text* to, char* kernel, size_t kernel_size,
             Failure* failure) {
  Array<uint8_t> model;
  if (!pin(request, failure) || !read_file(request.path, &model, failure)) return false;
  const bool xnnpack = strcmp(request.kernel, "plain") != 0;
  Text before, after;
  write_condition("/sys", request.cpus, request.cpu_count, &before);
  Session session(runtime);
  const int64_t began = nanoseconds();
  if (!session.load(model, request, xnnpack, nullptr, nullptr, failure)) return false;
  const int64_t loaded = nanoseconds();
  if (!session.fill_inputs(failure)) return false;
  const int64_t ready = nanoseconds();
  name_kernel(runtime, request, kernel, kernel_size);
  Measurement measurement(&session, request, failure);
  if (!measurement.warm_up(ready)) return false;
  const long long peak = peak_memory_bytes();
  if (!measurement.time(ready)) return false;
  write_condition("/sys", request.cpus, request.cpu_count, &after);
  char digest[65];
  sha256(model.data(), model.size(), digest);
  to->format("{\"file_sha256\":\"%s\",\"load_ms\":%.6f,\"first_ms\":%.6f,", digest,
             static_cast<double>(loaded - began) / 1e6, static_cast<double>(ready - loaded) / 1e6);
  to->format("\"warmup_runs\":%d,\"peak_memory_bytes\":%lld,", measurement.warmup_runs(), peak);
  to->add("\"latencies_ms\":");
  to->add(measurement.latencies().data(), measurement.latencies().size());
  to->add(",\"before\":");
  to->add(before.data(), before.size());
  to->add(",\"after\":");
  to->add(after.data(), after.size());
  if (request.operators && runtime.has_library) {
    const OperatorRuns runs(measurement.mean_ns());
    to->add(",\"trace\":");
    if (!trace(runtime, model, request, xnnpack, runs, to, failure)) return false;
    if (xnnpack) {
      to->add(",\"trace_plain\":");
      if (!trace(runtime, model, request, false, runs, to, failure)) return false;
    }
  }
  if (request.peak && strcmp(request.engine, "delegate") == 0) {
    const char* isa = strcmp(request.kernel, "auto") == 0 ? runtime.library.default_isa() : request.kernel;
    const double gmacs = runtime.library.peak_gmacs(isa, 20);
    if (gmacs > 0) to->format(",\"peak_gmacs\":%.3f", gmacs);
  }
  if (request.samples > 0) {
    to->add(",\"outputs\":");
    if (!write_outputs(&session, request, to, failure)) return false;
  }
  to->add("}");
  return !to->failed() || fail(failure, "", "out of memory");
}

}  // namespace mbnn
