// wakeup_delay.h: how late this machine wakes threads, to tell its delays from the library's.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/client/deadline_bound.h"

namespace claimsd::testing {

// Measures for the length of a scope: on each processor a thread of SCHED_FIFO sleeps for a
// millisecond at a time. A kernel without preemption and a host that takes a processor away delay
// it as much as any other thread.
class WakeupDelay {
 public:
  WakeupDelay() {
    cpu_set_t usable;
    sched_getaffinity(0, sizeof(usable), &usable);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &usable)) threads_.emplace_back([this, cpu] { measure(cpu); });
    }
  }
  WakeupDelay(const WakeupDelay&) = delete;
  WakeupDelay& operator=(const WakeupDelay&) = delete;
  ~WakeupDelay() { worst(); }

  // The longest delay of any thread. Ends the measurement.
  Clock::duration worst() {
    done_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    return Clock::duration(worst_);
  }

 private:
  void measure(unsigned cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
    const RunsFirst runs_first;
    while (!done_) {
      const Clock::time_point due = Clock::now() + std::chrono::milliseconds(1);
      std::this_thread::sleep_until(due);
      const Clock::rep late = (Clock::now() - due).count();
      Clock::rep worst = worst_;
      while (late > worst && !worst_.compare_exchange_weak(worst, late)) {
      }
    }
  }

  std::atomic<bool> done_ = false;
  std::atomic<Clock::rep> worst_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace claimsd::testing
