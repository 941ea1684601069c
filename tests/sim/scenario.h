// scenario.h: the setting of one history, drawn from its seed: the daemon's policy, who asks, how
// much goes wrong. Limits are drawn small, so that they are reached.
#pragma once

#include "daemon/claims/service.h"
#include "tests/sim/dice.h"

namespace claimsd::sim {

struct Scenario {
  std::uint64_t seed = 0;
  unsigned events = 1000;
  daemon::Policy policy;
  std::size_t store_bytes = 0;  // of claims, that the store has room for
  unsigned tokens = 0;          // well known from the start
  unsigned users = 0;
  unsigned connections = 0;
  unsigned uids = 1;                // user ids that own them; at most 8
  bool with_leases = false;         // clients look into the map of leases first
  daemon::Duration audit_commit{};  // of the audit log, on average; 0: answers need not wait
  bool with_address = false;        // questions say for whom they are asked
  daemon::Duration gap{};           // between questions, on average
  unsigned questions_per_fault = 0;
  // Percent of the questions.
  unsigned junk = 0;
  unsigned unusable = 0;  // malformed, too long, expired
  unsigned with_max_age = 0;
  unsigned with_timeout = 0;
  // Percent of the answers whose taker does something at once.
  unsigned reacts = 0;
  // Percent of the Auth API's answers.
  unsigned slow = 0;
  unsigned with_headers = 0;
};

Scenario draw_scenario(std::uint64_t seed, unsigned events);

}  // namespace claimsd::sim
