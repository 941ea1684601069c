// regime.h: on which cores the two sides of a measurement run, and whether those cores may fall
// asleep.
//
// Absolute times of a socket answer say more about this than about any server: a core that sleeps
// takes some 40 µs to wake up where an answer takes 9. So it is the same for every contender, and
// it is named with each figure.
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
  kOneCore,   // both sides share a core, which so never sleeps: the regime of the goals
  kTwoAwake,  // a core each, kept awake by a spinner of the lowest priority (SCHED_IDLE, sched(7))
  kAskerAwake,  // the same, but somebody else keeps the servers' core awake
  kIdle,        // a core each, asleep between two messages
};

std::string_view text_of(Regime regime);

// This process; false where it may not.
bool pin_to(int core);

// The cores that this process may use.
struct Cores {
  int client = 0;
  int server = 0;  // another one, if there is another one
  bool two() const { return client != server; }

  static Result<Cores> available();
};

// A regime in force: this process and the servers are placed and the spinners spin until it goes;
// then this process may run where it could before.
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
