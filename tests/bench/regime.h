// regime.h: the cores on which both sides of a measurement run, and whether these may sleep.
//
// The absolute time of a socket answer depends more on this than on the server: waking a sleeping
// core takes about 40 µs, an answer 9 µs. So the regime is the same for all contenders and is named
// with each figure.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/process.h"

namespace claimsd::bench {

enum class Regime : unsigned char {
  kOneCore,   // both sides share a core, which therefore never sleeps: used for the goals
  kTwoAwake,  // a core each, kept awake by a spinner at the lowest priority (SCHED_IDLE, sched(7))
  kAskerAwake,  // the same, but a process of the benchmark keeps the servers' core awake
  kIdle,        // a core each, asleep between messages
};

std::string_view text_of(Regime regime);

// Pins this process; false if that is not permitted.
bool pin_to(int core);

// The cores to use, out of those that this process may run on.
struct Cores {
  int client = 0;
  int server = 0;  // the same as `client` if there is only one
  bool two() const { return client != server; }

  static Result<Cores> available();
};

// An applied regime: this process and the servers are pinned, and the spinners run. The destructor
// stops the spinners and restores this process' affinity.
class Placement {
 public:
  ~Placement();
  Placement(Placement&&) = default;
  Placement& operator=(Placement&&) = delete;
  Placement(const Placement&) = delete;
  Placement& operator=(const Placement&) = delete;

  static Result<Placement> apply(Regime regime, const Cores& cores,
                                 const std::vector<pid_t>& servers);

 private:
  explicit Placement(std::unique_ptr<cpu_set_t> before) : before_(std::move(before)) {}

  std::unique_ptr<cpu_set_t> before_;
  std::vector<Process> spinners_;
};

}  // namespace claimsd::bench
