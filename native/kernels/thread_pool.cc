// The thread pool. Whoever waits spins for some microseconds before it sleeps: the next layer comes, and the last part
// is done, sooner than the system can wake a thread.
#include "kernels/thread_pool.h"

#include <sched.h>
#include <unistd.h>

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
  threads_ = threads;
  owner_ = getpid();
  return threads <= 1 || (workers_.allocate(threads - 1) && start_workers());
}

bool ThreadPool::start_workers() {
  while (worker_count_ < threads_ - 1) {
    if (pthread_create(&workers_[worker_count_], nullptr, worker, this) != 0) return false;
    ++worker_count_;
  }
  return true;
}

// Whether there are workers in this process. In the child of a fork the first caller starts them; those who come
// meanwhile, also from interpreters in other threads, go on without.
bool ThreadPool::has_workers() {
  if (threads_ <= 1) return false;
  const pid_t here = getpid();
  pid_t owner = __atomic_load_n(&owner_, __ATOMIC_ACQUIRE);
  if (owner != here) {
    if (owner == -here) return false;
    // A fork may have interrupted its parent here too: `owner` is then another negative number.
    if (!__atomic_compare_exchange_n(&owner_, &owner, -here, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return false;
    new (&shared_) Shared();
    worker_count_ = 0;
    start_workers();
    __atomic_store_n(&owner_, here, __ATOMIC_RELEASE);
  }
  return worker_count_ > 0;
}

ThreadPool::~ThreadPool() {
  if (worker_count_ == 0 || owner_ != getpid()) return;  // a fork left its threads with the parent
  pthread_mutex_lock(&shared_.lock);
  shared_.stop = true;
  pthread_cond_broadcast(&shared_.started);
  pthread_mutex_unlock(&shared_.lock);
  for (int i = 0; i < worker_count_; ++i) pthread_join(workers_[i], nullptr);
}

void ThreadPool::work() {
  Shared& shared = shared_;
  for (int64_t i; (i = __atomic_fetch_add(&shared.next, 1, __ATOMIC_RELAXED)) < shared.count;) {
    shared.function(shared.context, i);
  }
}

void* ThreadPool::worker(void* argument) {
  ThreadPool& pool = *static_cast<ThreadPool*>(argument);
  Shared& shared = pool.shared_;
  uint64_t seen = 0;
  for (;;) {
    spin(&shared.loop, [seen](uint64_t loop) { return loop != seen; });
    pthread_mutex_lock(&shared.lock);
    while (shared.loop == seen && !shared.stop) pthread_cond_wait(&shared.started, &shared.lock);
    if (shared.stop) {
      pthread_mutex_unlock(&shared.lock);
      return nullptr;
    }
    seen = shared.loop;
    __atomic_store_n(&shared.busy, shared.busy + 1, __ATOMIC_RELEASE);
    const int callers_cpu = shared.callers_cpu;
    pthread_mutex_unlock(&shared.lock);
    leave_cpu(callers_cpu);
    pool.work();
    pthread_mutex_lock(&shared.lock);
    __atomic_store_n(&shared.busy, shared.busy - 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&shared.lock);
    pthread_cond_signal(&shared.finished);
  }
}

void ThreadPool::run(int64_t count, Function function, const void* context) {
  Shared& shared = shared_;
  if (count <= 1 || !has_workers() || pthread_mutex_trylock(&shared.in_use) != 0) {
    for (int64_t i = 0; i < count; ++i) function(context, i);
    return;
  }
  pthread_mutex_lock(&shared.lock);
  // A worker that woke up late for the last loop may still be looking for work in it.
  while (shared.busy != 0) pthread_cond_wait(&shared.finished, &shared.lock);
  shared.function = function;
  shared.context = context;
  shared.count = count;
  shared.next = 0;
  shared.callers_cpu = sched_getcpu();
  // Who spins sees the new loop at once and needs the lock: sleeping for it would cost more than the loop may take.
  __atomic_store_n(&shared.loop, shared.loop + 1, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&shared.lock);
  pthread_cond_broadcast(&shared.started);
  work();
  if (!spin(&shared.busy, [](int busy) { return busy == 0; })) {
    pthread_mutex_lock(&shared.lock);
    while (shared.busy != 0) pthread_cond_wait(&shared.finished, &shared.lock);
    pthread_mutex_unlock(&shared.lock);
  }
  pthread_mutex_unlock(&shared.in_use);
}

}  // namespace mbnn
