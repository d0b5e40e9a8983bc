// The thread pool. Whoever waits spins for some microseconds before it sleeps: the next layer comes, and the last part
// is done, sooner than the system can wake a thread.
#include "kernels/thread_pool.h"

#include <sched.h>

namespace mbnn {
namespace {

constexpr int kSpins = 4000;
constexpr int kSpinsPerYield = 256;

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits a little until *word is as wanted, and lets others run who are ready on this CPU: one may be the caller. Returns
// whether it became so.
template <class T, class Done>
bool spin(const T* word, const Done& done) {
  for (int i = 1; i <= kSpins; ++i) {
    if (done(__atomic_load_n(word, __ATOMIC_ACQUIRE))) return true;
    if (i % kSpinsPerYield == 0) {
      sched_yield();
    } else {
      pause_cpu();
    }
  }
  return false;
}

// Moves this thread to another CPU than `cpu` if it may run there. Linux tends to wake a thread where its waker runs,
// also when other CPUs are idle (in virtual machines, always), and then the two take turns for milliseconds.
void leave_cpu(int cpu) {
  cpu_set_t allowed, others;
  if (cpu < 0 || sched_getcpu() != cpu || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  others = allowed;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
  sched_setaffinity(0, sizeof allowed, &allowed);
}

}  // namespace

bool ThreadPool::start(int threads) {
  if (threads <= 1) return true;
  if (!workers_.allocate(threads - 1)) return false;
  while (worker_count_ < threads - 1) {
    if (pthread_create(&workers_[worker_count_], nullptr, worker, this) != 0) return false;
    ++worker_count_;
  }
  return true;
}

ThreadPool::~ThreadPool() {
  pthread_mutex_lock(&lock_);
  stop_ = true;
  pthread_cond_broadcast(&started_);
  pthread_mutex_unlock(&lock_);
  for (int i = 0; i < worker_count_; ++i) pthread_join(workers_[i], nullptr);
}

void ThreadPool::work() {
  for (int64_t i; (i = __atomic_fetch_add(&next_, 1, __ATOMIC_RELAXED)) < count_;) function_(context_, i);
}

void* ThreadPool::worker(void* argument) {
  ThreadPool& pool = *static_cast<ThreadPool*>(argument);
  uint64_t seen = 0;
  for (;;) {
    spin(&pool.loop_, [seen](uint64_t loop) { return loop != seen; });
    pthread_mutex_lock(&pool.lock_);
    while (pool.loop_ == seen && !pool.stop_) pthread_cond_wait(&pool.started_, &pool.lock_);
    if (pool.stop_) {
      pthread_mutex_unlock(&pool.lock_);
      return nullptr;
    }
    seen = pool.loop_;
    __atomic_store_n(&pool.busy_, pool.busy_ + 1, __ATOMIC_RELEASE);
    const int callers_cpu = pool.callers_cpu_;
    pthread_mutex_unlock(&pool.lock_);
    leave_cpu(callers_cpu);
    pool.work();
    pthread_mutex_lock(&pool.lock_);
    __atomic_store_n(&pool.busy_, pool.busy_ - 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&pool.lock_);
    pthread_cond_signal(&pool.finished_);
  }
}

void ThreadPool::run(int64_t count, Function function, const void* context) {
  if (worker_count_ == 0 || count <= 1 || pthread_mutex_trylock(&in_use_) != 0) {
    for (int64_t i = 0; i < count; ++i) function(context, i);
    return;
  }
  pthread_mutex_lock(&lock_);
  // A worker that woke up late for the last loop may still be looking for work in it.
  while (busy_ != 0) pthread_cond_wait(&finished_, &lock_);
  function_ = function;
  context_ = context;
  count_ = count;
  next_ = 0;
  callers_cpu_ = sched_getcpu();
  // Who spins sees the new loop at once and needs the lock: sleeping for it would cost more than the loop may take.
  __atomic_store_n(&loop_, loop_ + 1, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&lock_);
  pthread_cond_broadcast(&started_);
  work();
  if (!spin(&busy_, [](int busy) { return busy == 0; })) {
    pthread_mutex_lock(&lock_);
    while (busy_ != 0) pthread_cond_wait(&finished_, &lock_);
    pthread_mutex_unlock(&lock_);
  }
  pthread_mutex_unlock(&in_use_);
}

}  // namespace mbnn
