// Times many small tasks in turns: what disturbs the machine then disturbs all of them, and the best round of each
// counts.
#pragma once

#include <time.h>

#include <functional>
#include <string>
#include <vector>

struct Task {
  std::string name;
  std::function<void()> run;
  double best_seconds = 1e9;  // of one run
};

inline double now_seconds() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Seconds of one run, from `repeats` in a row.
inline double time_task(const Task& task, int repeats) {
  const double start = now_seconds();
  for (int i = 0; i < repeats; ++i) task.run();
  return (now_seconds() - start) / repeats;
}

// A round of a task is long enough for the clock and short enough to fit between two interruptions.
inline void time_in_turns(std::vector<Task>& tasks, int rounds) {
  constexpr double kRoundSeconds = 2e-4;
  std::vector<int> repeats;
  for (const Task& task : tasks) {
    task.run();  // touches its memory
    repeats.push_back(1 + static_cast<int>(kRoundSeconds / time_task(task, 1)));
  }
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < tasks.size(); ++i) {
      tasks[i].run();  // the task before has filled the caches
      const double seconds = time_task(tasks[i], repeats[i]);
      if (seconds < tasks[i].best_seconds) tasks[i].best_seconds = seconds;
    }
  }
}
