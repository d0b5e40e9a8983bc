#include "own_delegate.h"

#include <pthread.h>
#include <stdio.h>

#include "include/mobile_bnn_delegate.h"

namespace mbnn {
namespace {

// The report comes without a place to put it, so one delegate is made at a time.
pthread_mutex_t creating = PTHREAD_MUTEX_INITIALIZER;
char reported[256];

void report(const char* message) { snprintf(reported, sizeof reported, "%s", message); }

}  // namespace

TfLiteDelegate* create_delegate(int threads, const char* isa, char* why, size_t size) {
  char number[16];
  snprintf(number, sizeof number, "%d", threads);
  const char* const keys[] = {"num_threads", "isa"};
  const char* const values[] = {number, isa};
  pthread_mutex_lock(&creating);
  snprintf(reported, sizeof reported, "mobile_bnn: out of memory");  // what goes without a report
  TfLiteDelegate* delegate = tflite_plugin_create_delegate(keys, values, isa == nullptr ? 1 : 2, report);
  snprintf(why, size, "%s", reported);
  pthread_mutex_unlock(&creating);
  return delegate;
}

void destroy_delegate(TfLiteDelegate* delegate) {
  if (delegate != nullptr) tflite_plugin_destroy_delegate(delegate);
}

const char* version() { return mobile_bnn_version(); }

const char* default_isa() { return mobile_bnn_default_isa(); }

}  // namespace mbnn
