// What the delegate's operators share: options, windows, the table of functions that makes an operator.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "delegate/flexbuffer.h"
#include "delegate/fusion.h"
#include "delegate/subgraph_numbers.h"
#include "delegate/tap_table.h"
#include "delegate/tensor.h"
#include "delegate/tflite_abi.h"
#include "delegate/window.h"
#include "kernels/kernels.h"
#include "kernels/thread_pool.h"
#include "memory.h"

namespace mbnn {

// An option of the operator that must lie in [low, high].
bool read_option(const FlexMap& options, const char* key, int low, int high, int* value, const Reporter& reporter);

// The options of a custom operator.
bool open_options(const TfLiteNode& node, FlexMap* options, const Reporter& reporter);

enum { kPaddingSame = 0, kPaddingValid = 1 };

// What an operator sees of its node.
struct NodeView {
  static constexpr int kMaxInputs = 5;
  // Null where one was left out. After the two of a BATCH_MATMUL, each of them packed; null where nobody has it so.
  Tensor* inputs[kMaxInputs] = {};
  int input_count = 0;
  Tensor* output = nullptr;  // described by `prepare`; has memory only if `fusion` stores it
  Fusion fusion;
  TapTables* tap_tables = nullptr;  // of the partition
};

struct Machine {
  const Kernels* kernels = nullptr;
  ThreadPool pool;
  SubgraphNumbers subgraphs;
  FILE* profile = nullptr;  // where the time of each operator is written, if anywhere
  pid_t profiled = getpid();  // a child that it forks would write into the same file

  bool is_profiled() const { return profile != nullptr && profiled == getpid(); }

  ~Machine() {
    if (is_profiled()) fclose(profile);  // in a child it would write what is left in the buffer once more
  }
};

// One kind of operator. State is what `create` returned.
struct OperatorType {
  const char* name;
  int builtin_code;  // kTfLiteBuiltinCustom if it is known by its name
  void* (*create)();
  void (*destroy)(void* state);
  // Reads the options; once.
  bool (*parse)(void* state, const TfLiteNode&, NodeView&, const Reporter&);
  // Checks the inputs, gives the output its rank and dims; after every resize.
  bool (*prepare)(void* state, NodeView&, const Machine&, const Reporter&);
  bool (*run)(void* state, const NodeView&, Machine&, const Reporter&);
};

template <class Operator>
constexpr OperatorType operator_type(const char* name, int builtin_code = kTfLiteBuiltinCustom) {
  return {name, builtin_code, [] { return static_cast<void*>(mbnn::create<Operator>()); },
          [](void* state) { mbnn::destroy(static_cast<Operator*>(state)); },
          [](void* state, const TfLiteNode& options, NodeView& node, const Reporter& reporter) {
            return static_cast<Operator*>(state)->parse(options, node, reporter);
          },
          [](void* state, NodeView& node, const Machine& machine, const Reporter& reporter) {
            return static_cast<Operator*>(state)->prepare(node, machine, reporter);
          },
          [](void* state, const NodeView& node, Machine& machine, const Reporter& reporter) {
            return static_cast<Operator*>(state)->run(node, machine, reporter);
          }};
}

extern const OperatorType kQuantize;
extern const OperatorType kDequantize;
extern const OperatorType kBconv2d;
extern const OperatorType kBMaxPool2d, kMaxPool2d;
extern const OperatorType kBatchMatMul;
extern const OperatorType kAdd, kSub, kMul, kPrelu, kRelu, kReluN1To1, kRelu6;

// Whether it is one of TFLite's own operators, not of LCE's.
inline bool is_builtin(const OperatorType& type) { return type.builtin_code != kTfLiteBuiltinCustom; }

// Whether the options of a MAX_POOL_2D are what this one can do.
bool supports_max_pool(const TfLiteNode& node);

// Whether this one can multiply such matrices: inputs as the runtime has them now.
bool supports_batch_mat_mul(const TfLiteNode& node, const Tensor& first, const Tensor& second);

// The operator that a registration stands for, or null.
const OperatorType* find_operator(const TfLiteRegistration& registration);

// Splits rows into a few parts per thread and runs body(first, last) for each.
template <class Body>
void split(ThreadPool& pool, int64_t rows, const Body& body) {
  const int64_t wanted = pool.threads() == 1 ? 1 : 4 * pool.threads();
  const int64_t parts = rows < wanted ? rows : wanted;
  pool.run(parts, [&](int64_t i) { body(rows * i / parts, rows * (i + 1) / parts); });
}

// Runs body(filter tile, first pixel tile, last pixel tile) for all of both kinds of tiles. A part keeps one tile of a
// filter in the cache and walks over pixels.
template <class Body>
void split_tiles(ThreadPool& pool, int64_t filter_tiles, int64_t pixel_tiles, const Body& body) {
  const int64_t wanted = pool.threads() == 1 ? 1 : 4 * pool.threads();
  int64_t parts = (wanted + filter_tiles - 1) / filter_tiles;
  if (parts > pixel_tiles) parts = pixel_tiles;
  pool.run(filter_tiles * parts, [&](int64_t i) {
    const int64_t part = i % parts;
    body(i / parts, pixel_tiles * part / parts, pixel_tiles * (part + 1) / parts);
  });
}

}  // namespace mbnn
