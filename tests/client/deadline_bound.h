// deadline_bound.h: how late a call may return, and a way to measure that on a busy machine.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <chrono>

namespace claimsd::testing {

using Clock = std::chrono::steady_clock;

// 1.1 times the timeout and 10 ms. Sanitizers need more.
inline Clock::duration bound_of(Clock::duration timeout) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return 2 * timeout + std::chrono::milliseconds(100);
#else
  return timeout + timeout / 10 + std::chrono::milliseconds(10);
#endif
}

// The calling thread runs before all ordinary ones (SCHED_FIFO, sched(7)) for the length of a
// scope, so a late return is not due to other programs.
class RunsFirst {
 public:
  RunsFirst() : granted_(set(SCHED_FIFO, 1)) {}
  RunsFirst(const RunsFirst&) = delete;
  RunsFirst& operator=(const RunsFirst&) = delete;
  ~RunsFirst() { set(SCHED_OTHER, 0); }

  // False without the capability CAP_SYS_NICE.
  bool granted() const { return granted_; }

 private:
  static bool set(int policy, int priority) {
    const sched_param parameter{.sched_priority = priority};
    return pthread_setschedparam(pthread_self(), policy, &parameter) == 0;
  }

  const bool granted_;
};

}  // namespace claimsd::testing
