// Which subgraph of the model a context is: the runtime hands them to a delegate one by one, in the order of the file.
#pragma once

#include "delegate/tflite_abi.h"
#include "memory.h"

namespace mbnn {

class SubgraphNumbers {
 public:
  SubgraphNumbers() = default;
  SubgraphNumbers(const SubgraphNumbers&) = delete;
  SubgraphNumbers& operator=(const SubgraphNumbers&) = delete;
  ~SubgraphNumbers() {
    while (first_ != nullptr) {
      Seen* next = first_->next;
      destroy(first_);
      first_ = next;
    }
  }

  // Notes a subgraph down; one that comes again, as after a resize that undid the delegate, keeps its number. False if
  // there is no memory.
  bool add(const TfLiteContext* context) {
    Seen** last = &first_;
    while (*last != nullptr && (*last)->context != context) last = &(*last)->next;
    if (*last != nullptr) return true;
    *last = create<Seen>();
    if (*last == nullptr) return false;
    (*last)->context = context;
    return true;
  }

  // The number of a subgraph that was added.
  int find(const TfLiteContext* context) const {
    int number = 0;
    for (const Seen* seen = first_; seen != nullptr && seen->context != context; seen = seen->next) ++number;
    return number;
  }

 private:
  struct Seen {
    const TfLiteContext* context = nullptr;
    Seen* next = nullptr;
  };
  Seen* first_ = nullptr;
};

}  // namespace mbnn
