// scenario.h: the parameters of one history, drawn from its seed: policy, clients, fault rates.
// Limits are small, so that they are reached.
#pragma once

#include "daemon/claims/service.h"
#include "tests/sim/dice.h"

namespace claimsd::sim {

struct Scenario {
  std::uint64_t seed = 0;
  unsigned events = 1000;
  claims::Policy policy;
  std::size_t store_bytes = 0;  // capacity, in bytes of claims
  unsigned tokens = 0;          // known from the start
  unsigned users = 0;
  unsigned connections = 0;
  unsigned uids = 1;          // uids that own the connections; at most 8
  bool with_leases = false;   // clients read the shared map first
  Duration audit_commit{};    // mean duration of an audit commit; 0: answers need not wait
  bool with_address = false;  // queries carry a client address
  Duration gap{};             // mean time between queries
  unsigned queries_per_fault = 0;
  // Percentages of queries.
  unsigned junk = 0;
  unsigned unusable = 0;  // malformed, too long, expired
  unsigned with_max_age = 0;
  unsigned with_timeout = 0;
  // Percentage of answers to which the client reacts immediately.
  unsigned reacts = 0;
  // Percentages of the Auth API's responses.
  unsigned slow = 0;
  unsigned with_headers = 0;
};

Scenario draw_scenario(std::uint64_t seed, unsigned events);

}  // namespace claimsd::sim
