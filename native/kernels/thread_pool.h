// A small pool of POSIX threads: one loop at a time, the caller works too.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include "memory.h"

namespace mbnn {

class ThreadPool {
 public:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Starts threads - 1 threads. False if the system refuses one.
  bool start(int threads);
  int threads() const { return worker_count_ + 1; }

  // Calls body(i) once for every i below count, in any order, and returns when all are done. If another interpreter is
  // using the pool, the caller does everything itself: waiting would not be faster.
  template <class Body>
  void run(int64_t count, const Body& body) {
    run(count, [](const void* context, int64_t i) { (*static_cast<const Body*>(context))(i); }, &body);
  }

 private:
  using Function = void (*)(const void*, int64_t);

  static void* worker(void* pool);
  void run(int64_t count, Function function, const void* context);
  void work();

  Array<pthread_t> workers_;
  int worker_count_ = 0;  // of them that run
  pthread_mutex_t in_use_ = PTHREAD_MUTEX_INITIALIZER;  // held by the caller whose loop it is
  pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t started_ = PTHREAD_COND_INITIALIZER;
  pthread_cond_t finished_ = PTHREAD_COND_INITIALIZER;
  uint64_t loop_ = 0;  // counts the loops, so that a worker knows a new one
  bool stop_ = false;
  int busy_ = 0;  // workers inside the current loop
  Function function_ = nullptr;
  const void* context_ = nullptr;
  int64_t count_ = 0;
  int64_t next_ = 0;
  int callers_cpu_ = -1;
};

}  // namespace mbnn
