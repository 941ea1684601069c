// fleet_model.h: a fleet of replicas with a model of Redis, driven by a seed.
//
// The real policy (daemon/fleet/host_replica.h) runs on every host. The model provides servers that
// fail over and forget acknowledged writes, a network that delays, loses, duplicates and reorders,
// hosts that crash, disks that are slow, clocks that differ, and an intruder who may write to Redis
// but has no key. A host's random events and its calm end are derived from the seed alone.
//
// The invariants judge by what the model knows: what was ordered, what each host has put into effect,
// and when a server really accepted a pulse.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/sim/fleet_invariants.h"
#include "tests/sim/violation.h"

namespace claimsd::sim {

struct FleetOptions {
  std::uint64_t seed = 1;
  std::size_t steps = 500;  // of 50 ms
  bool print = false;       // every event
};

// C(name): what happened, so that a run can show that the histories reach what they are about.
// clang-format off
#define CLAIMSD_SIM_FLEET_COVERAGE(C) \
  C(orders) C(withdrawals) C(everywhere) C(failovers) C(forgotten_writes) C(lost_data) C(cuts) \
  C(crashes) C(isolations) C(intrusions) C(replays) C(exchanges) C(joins) C(full)
// clang-format on

struct FleetCoverage {
  std::uint64_t histories = 0;
  std::uint64_t steps = 0;
#define CLAIMSD_SIM_FLEET_COUNT(name) std::uint64_t name = 0;
  CLAIMSD_SIM_FLEET_COVERAGE(CLAIMSD_SIM_FLEET_COUNT)
#undef CLAIMSD_SIM_FLEET_COUNT

  void add(const FleetCoverage& other);
  std::vector<std::pair<std::string_view, std::uint64_t>> rows() const;
};

// One history. Returns the first violation of one of the invariants, if any.
std::optional<Violation> run_fleet(const FleetOptions& options, const FleetInvariants& checked,
                                   FleetCoverage& coverage);

}  // namespace claimsd::sim
