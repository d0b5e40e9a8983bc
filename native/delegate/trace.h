// A delegate that takes no operator and times all: those of the runtime, of XNNPACK and of other delegates.
#pragma once

#include <stdio.h>
#include <unistd.h>

#include "delegate/tflite_abi.h"
#include "memory.h"

namespace mbnn {

struct TracedGraph;
struct TracedNode;

// What one tracing delegate has seen. It must be applied after all others, and outlive the interpreter's inferences.
//
// For each node that runs it writes the number of the call of its subgraph, the operators of the file that the node stands
// for (after the number of the subgraph and a colon, unless that is the main one), who runs them and the nanoseconds.
class Trace {
 public:
  Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  ~Trace();

  // False, with errno set, if the file cannot be written.
  bool open(const char* path);

  // Puts itself around every node of a subgraph. False if there is no memory, or the runtime does not tell a node.
  bool hook(TfLiteContext* context);

  // Runs the node of that subgraph and writes how long it took.
  TfLiteStatus invoke(TracedGraph& graph, TfLiteContext* context, TfLiteNode* node);

  TracedGraph* find(const TfLiteContext* context);
  Trace* next() const { return next_; }

 private:
  // What is to be known of a node of that index. False if there is no memory, or the runtime does not tell.
  bool read_node(TfLiteContext* context, int index, TracedNode* traced);

  bool is_writing() const { return file_ != nullptr && owner_ == getpid(); }

  FILE* file_ = nullptr;
  pid_t owner_ = getpid();  // a child that it forks would write into the same file
  TracedGraph* graphs_ = nullptr;
  int subgraphs_ = 0;
  Trace* next_ = nullptr;
};

}  // namespace mbnn
