// A small pool of POSIX threads: one loop at a time, the caller works too. It survives a fork: a child has none of the
// threads and copies of locks that nobody will open again, so it makes both anew when it first needs them.
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <sys/types.h>

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
  int threads() const { return threads_; }

  // Calls body(i) once for every i below count, in any order, and returns when all are done. If another interpreter is
  // using the pool, the caller does everything itself: waiting would not be faster. So it does in the child of a fork
  // if the system refuses threads.
  template <class Body>
  void run(int64_t count, const Body& body) {
    run(count, [](const void* context, int64_t i) { (*static_cast<const Body*>(context))(i); }, &body);
  }

 private:
  using Function = void (*)(const void*, int64_t);

  // What the threads share. No object that a thread waits for survives a fork, so all of it is replaced at once.
  struct Shared {
    pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER;  // held by the caller whose loop it is
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t started = PTHREAD_COND_INITIALIZER;
    pthread_cond_t finished = PTHREAD_COND_INITIALIZER;
    uint64_t loop = 0;  // counts the loops, so that a worker knows a new one
    bool stop = false;
    int busy = 0;  // workers inside the current loop
    Function function = nullptr;
    const void* context = nullptr;
    int64_t count = 0;
    int64_t next = 0;
    int callers_cpu = -1;
  };

  static void* worker(void* pool);
  bool start_workers();
  bool has_workers();
  void run(int64_t count, Function function, const void* context);
  void work();

  int threads_ = 1;  // that were asked for
  Array<pthread_t> workers_;
  int worker_count_ = 0;  // of them that run
  // The process whose threads they are; negative while that process starts them.
  pid_t owner_ = 0;
  Shared shared_;
};

}  // namespace mbnn
