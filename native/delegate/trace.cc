// Times every node by taking the place of its `invoke` in the runtime's own copy of its registration.
#include "delegate/trace.h"

#include <pthread.h>
#include <time.h>

namespace mbnn {
namespace {

using Invoke = TfLiteStatus (*)(TfLiteContext*, TfLiteNode*);

// `invoke` is told nothing but the subgraph and the node, so all traces of the process are in a list.
pthread_mutex_t traces_lock = PTHREAD_MUTEX_INITIALIZER;
Trace* traces = nullptr;

int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1000000000} + now.tv_nsec;
}

TfLiteStatus traced_invoke(TfLiteContext* context, TfLiteNode* node);

}  // namespace

// A node, found again by its outputs: the runtime's table of nodes moves when it grows, that array does not.
struct TracedNode {
  const TfLiteIntArray* outputs = nullptr;
  Invoke invoke = nullptr;
  const char* runner = nullptr;  // of the delegate that made it; null: the runtime itself
  Array<int> operators;
};

struct TracedGraph {
  const TfLiteContext* context = nullptr;
  int number = 0;
  uint64_t calls = 0;
  size_t expected = 0;  // the node that most likely runs next
  Array<TracedNode> nodes;
  TracedGraph* next = nullptr;

  ~TracedGraph() {
    for (TracedNode& node : nodes) node.~TracedNode();
  }

  TracedNode* find(const TfLiteIntArray* outputs) {
    for (size_t i = 0; i < nodes.size(); ++i) {
      TracedNode& node = nodes[(expected + i) % nodes.size()];
      if (node.outputs == outputs) return &node;
    }
    return nullptr;
  }
};

namespace {

TfLiteStatus traced_invoke(TfLiteContext* context, TfLiteNode* node) {
  pthread_mutex_lock(&traces_lock);
  Trace* trace = traces;
  TracedGraph* graph = nullptr;
  while (trace != nullptr && (graph = trace->find(context)) == nullptr) trace = trace->next();
  pthread_mutex_unlock(&traces_lock);
  if (graph == nullptr) {
    context->ReportError(context, "mobile_bnn: the tracing delegate was destroyed before the interpreter ran");
    return kTfLiteError;
  }
  return trace->invoke(*graph, context, node);
}

bool list_operators(const TfLiteNode& node, int index, Array<int>* operators) {
  if (node.delegate == nullptr || node.builtin_data == nullptr) {
    if (!operators->allocate(1)) return false;
    (*operators)[0] = index;
    return true;
  }
  const TfLiteIntArray& replaced = *static_cast<const TfLiteDelegateParams*>(node.builtin_data)->nodes_to_replace;
  if (!operators->allocate(static_cast<size_t>(replaced.size))) return false;
  memcpy(operators->data(), replaced.data, operators->size() * sizeof(int));
  return true;
}

}  // namespace

Trace::Trace() {
  pthread_mutex_lock(&traces_lock);
  next_ = traces;
  traces = this;
  pthread_mutex_unlock(&traces_lock);
}

Trace::~Trace() {
  pthread_mutex_lock(&traces_lock);
  Trace** link = &traces;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  pthread_mutex_unlock(&traces_lock);
  while (graphs_ != nullptr) {
    TracedGraph* next = graphs_->next;
    destroy(graphs_);
    graphs_ = next;
  }
  if (is_writing()) fclose(file_);
}

bool Trace::open(const char* path) {
  file_ = fopen(path, "w");
  return file_ != nullptr;
}

TracedGraph* Trace::find(const TfLiteContext* context) {
  TracedGraph* graph = graphs_;
  while (graph != nullptr && graph->context != context) graph = graph->next;
  return graph;
}

bool Trace::hook(TfLiteContext* context) {
  TfLiteIntArray* shown = nullptr;
  if (context->GetExecutionPlan(context, &shown) != kTfLiteOk) return false;
  TracedGraph* graph = create<TracedGraph>();
  if (graph == nullptr) return false;
  // The runtime may overwrite what it has shown.
  Array<int> plan;
  bool good = plan.allocate(static_cast<size_t>(shown->size)) && graph->nodes.allocate(plan.size());
  if (good) memcpy(plan.data(), shown->data, plan.size() * sizeof(int));
  for (size_t i = 0; good && i < plan.size(); ++i) good = read_node(context, plan[i], &graph->nodes[i]);
  if (!good) {
    destroy(graph);
    return false;
  }
  const TracedGraph* before = find(context);  // where the delegates were undone and applied once more
  graph->context = context;
  graph->number = before == nullptr ? subgraphs_++ : before->number;
  graph->calls = before == nullptr ? 0 : before->calls;
  graph->next = graphs_;
  pthread_mutex_lock(&traces_lock);  // other threads look for their own subgraphs in the same list
  graphs_ = graph;                   // an older one of the same subgraph is no longer found
  pthread_mutex_unlock(&traces_lock);
  // Only now that nothing can fail: a node without a graph would not run.
  for (size_t i = 0; i < plan.size(); ++i) {
    TfLiteNode* node = nullptr;
    TfLiteRegistration* registration = nullptr;
    context->GetNodeAndRegistration(context, plan[i], &node, &registration);
    if (graph->nodes[i].invoke != nullptr) registration->invoke = traced_invoke;
  }
  return true;
}

bool Trace::read_node(TfLiteContext* context, int index, TracedNode* traced) {
  TfLiteNode* node = nullptr;
  TfLiteRegistration* registration = nullptr;
  if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk ||
      !list_operators(*node, index, &traced->operators)) {
    return false;
  }
  traced->outputs = node->outputs;
  traced->runner = node->delegate == nullptr ? nullptr : registration->custom_name;
  traced->invoke = registration->invoke;
  if (traced->invoke != traced_invoke) return true;
  // It has been hooked before, maybe some resizes ago, when no delegate ran it.
  for (TracedGraph* graph = graphs_; graph != nullptr; graph = graph->next) {
    const TracedNode* same = graph->context == context ? graph->find(node->outputs) : nullptr;
    if (same == nullptr) continue;
    traced->invoke = same->invoke;
    return true;
  }
  return false;
}

TfLiteStatus Trace::invoke(TracedGraph& graph, TfLiteContext* context, TfLiteNode* node) {
  TracedNode* traced = graph.find(node->outputs);
  if (traced == nullptr) {
    context->ReportError(context, "mobile_bnn: a node runs that was not there when tracing began");
    return kTfLiteError;
  }
  const size_t position = static_cast<size_t>(traced - graph.nodes.data());
  const int64_t start = nanoseconds();
  const TfLiteStatus status = traced->invoke(context, node);
  const int64_t elapsed = nanoseconds() - start;
  graph.expected = position + 1;
  if (!is_writing()) return status;
  fprintf(file_, "%llu\t", static_cast<unsigned long long>(graph.calls));
  if (graph.number != 0) fprintf(file_, "%d:", graph.number);
  for (size_t i = 0; i < traced->operators.size(); ++i) fprintf(file_, i == 0 ? "%d" : ",%d", traced->operators[i]);
  fprintf(file_, "\t%s\t%lld\n", traced->runner == nullptr ? "litert" : traced->runner,
          static_cast<long long>(elapsed));
  if (position + 1 == graph.nodes.size()) {
    ++graph.calls;
    if (graph.number == 0) fflush(file_);
  }
  return status;
}

}  // namespace mbnn
