// The library's whole interface, as include/mobile_bnn_delegate.h declares it; the options of a delegate.
#include "include/mobile_bnn_delegate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "delegate/claim.h"
#include "delegate/partition.h"
#include "delegate/peak.h"
#include "delegate/trace.h"

namespace mbnn {
namespace {

constexpr int kMaxThreads = 256;

struct Delegate {
  TfLiteDelegate abi = {};
  Machine machine;
  Trace* trace = nullptr;  // if it only times what others run

  ~Delegate() { destroy(trace); }
};

using ReportError = void (*)(const char*);

bool fail(ReportError report, const char* format, ...) __attribute__((format(printf, 2, 3)));
bool fail(ReportError report, const char* format, ...) {
  char message[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (report != nullptr) report(message);
  return false;
}

bool choose_kernels(const char* name, Machine* machine, ReportError report) {
  machine->kernels = find_kernels(name);
  if (machine->kernels == nullptr) {
    char known[64] = "";
    kernel_names(known, sizeof known);
    return fail(report, "mobile_bnn: option isa: unknown value \"%s\", known are %s", name, known);
  }
  return machine->kernels->cpu_has_it() || fail(report, "mobile_bnn: option isa: this CPU has no %s", name);
}

bool parse_threads(const char* text, int* threads, ReportError report) {
  char* end = nullptr;
  const long value = strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < 1 || value > kMaxThreads) {
    return fail(report, "mobile_bnn: option num_threads: \"%s\" is no number from 1 to %d", text, kMaxThreads);
  }
  *threads = static_cast<int>(value);
  return true;
}

bool open_profile(const char* path, Machine* machine, ReportError report) {
  if (path == nullptr) return true;
  machine->profile = fopen(path, "w");
  return machine->profile != nullptr ||
         fail(report, "mobile_bnn: option profile: cannot write %s: %s", path, strerror(errno));
}

bool open_trace(const char* path, Delegate* delegate, ReportError report) {
  delegate->trace = create<Trace>();
  if (delegate->trace == nullptr) return fail(report, "mobile_bnn: out of memory");
  return delegate->trace->open(path) ||
         fail(report, "mobile_bnn: option trace: cannot write %s: %s", path, strerror(errno));
}

bool configure(Delegate* delegate, const char* const* keys, const char* const* values, size_t count,
               ReportError report) {
  Machine* machine = &delegate->machine;
  const char* isa = nullptr;
  const char* profile = nullptr;
  const char* trace = nullptr;
  int threads = 1;
  for (size_t i = 0; i < count; ++i) {
    if (strcmp(keys[i], "isa") == 0) {
      isa = values[i];
    } else if (strcmp(keys[i], "num_threads") == 0) {
      if (!parse_threads(values[i], &threads, report)) return false;
    } else if (strcmp(keys[i], "profile") == 0) {
      profile = values[i];
    } else if (strcmp(keys[i], "trace") == 0) {
      trace = values[i];
    } else {
      return fail(report, "mobile_bnn: unknown option \"%s\", known are isa, num_threads, profile, trace", keys[i]);
    }
  }
  if (trace != nullptr) {
    return count == 1 ? open_trace(trace, delegate, report)
                      : fail(report, "mobile_bnn: option trace: it goes with no other option");
  }
  if (!choose_kernels(isa, machine, report) || !open_profile(profile, machine, report)) return false;
  return machine->pool.start(threads) || fail(report, "mobile_bnn: cannot start %d threads", threads);
}

TfLiteStatus prepare(TfLiteContext* context, TfLiteDelegate* delegate) {
  auto* machine = static_cast<Machine*>(delegate->data);
  Array<int> nodes;
  if (!machine->subgraphs.add(context) || !claim_nodes(context, &nodes)) return kTfLiteError;
  if (nodes[0] == 0) return kTfLiteOk;
  const auto* claimed = reinterpret_cast<const TfLiteIntArray*>(nodes.data());
  return context->ReplaceNodeSubsetsWithDelegateKernels(context, partition_registration(), claimed, delegate);
}

TfLiteStatus prepare_trace(TfLiteContext* context, TfLiteDelegate* delegate) {
  if (reinterpret_cast<Delegate*>(delegate)->trace->hook(context)) return kTfLiteOk;
  context->ReportError(context, "mobile_bnn: the nodes cannot be traced");
  return kTfLiteError;
}

}  // namespace
}  // namespace mbnn

TfLiteDelegate* tflite_plugin_create_delegate(const char* const* keys, const char* const* values, size_t count,
                                              void (*report_error)(const char*)) {
  mbnn::Delegate* delegate = mbnn::create<mbnn::Delegate>();
  if (delegate == nullptr || !mbnn::configure(delegate, keys, values, count, report_error)) {
    mbnn::destroy(delegate);
    return nullptr;
  }
  delegate->abi.data = &delegate->machine;
  delegate->abi.Prepare = delegate->trace == nullptr ? mbnn::prepare : mbnn::prepare_trace;
  // Without this flag the runtime prepares the custom operators itself, finds them unresolved and refuses the model.
  delegate->abi.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &delegate->abi;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate* delegate) {
  mbnn::destroy(reinterpret_cast<mbnn::Delegate*>(delegate));
}

const char* mobile_bnn_version() { return MBNN_VERSION; }

const char* mobile_bnn_default_isa() { return mbnn::find_kernels(nullptr)->name; }

bool mobile_bnn_tile(const char* isa, int* pixels, int* channels) {
  const mbnn::Kernels* kernels = mbnn::find_kernels(isa);
  if (kernels == nullptr) return false;
  *pixels = kernels->tile_pixels;
  *channels = kernels->tile_channels;
  return true;
}

double mobile_bnn_peak_gmacs(const char* isa, int milliseconds) {
  const mbnn::Kernels* kernels = mbnn::find_kernels(isa);
  return kernels == nullptr || !kernels->cpu_has_it() ? 0 : mbnn::measure_peak_gmacs(*kernels, milliseconds);
}
