// A question of the protocol (mobile_bnn/profiling/messages.py) as values.
#pragma once

#include "runner/json.h"

namespace mbnn {

constexpr int kProtocol = 2;

// The three parts of an error: what happened, why, what cures it.
struct Failure {
  char what[512] = "";
  char why[2048] = "";
  char cure[512] = "";
};

bool fail(Failure* failure, const char* cure, const char* format, ...) __attribute__((format(printf, 3, 4)));

struct Request {
  char engine[64] = "";
  char kernel[64] = "";
  char path[4096] = "";
  int threads = 1;
  int runs = 1;
  int warmup = -1;  // until it is stable
  double min_seconds = 0, max_seconds = 0;
  double cpus[JsonValue::kMaxNumbers] = {};
  int cpu_count = 0;
  bool operators = true, peak = false;
  char inputs[4096] = "";
  int samples = 0;
};

// Whether it is a question of this protocol; `describe` tells which.
bool read_question(const JsonObject& object, bool* describe, Failure* failure);

bool read_request(const JsonObject& object, Request* request, Failure* failure);

}  // namespace mbnn
