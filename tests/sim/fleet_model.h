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

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/fleet/host_replica.h"
#include "tests/support/fake_world.h"

namespace claimsd::sim {

enum class FleetInvariant : std::uint8_t {
  kEverywhere,  // after --everywhere returned, every current host has the action
  kConverges,   // after the network is whole again, all hosts have everything and are current
  kForeign,     // what is not sealed under the key changes nothing
  kReplay,      // a replay changes nothing: no item is applied twice or prolonged
  kOldPulse,    // without a recent pulse no host is current
  kBounded,     // queues, tables and sets stay within what was ordered
  kAll,
};

struct FleetOptions {
  std::uint64_t seed = 1;
  std::size_t steps = 500;  // of 50 ms
};

// What happened, so that a run can show that the histories reach what they are about.
struct FleetCoverage {
  std::uint64_t orders = 0;
  std::uint64_t everywhere = 0;
  std::uint64_t failovers = 0;
  std::uint64_t forgotten = 0;  // acknowledged writes that a failover lost
  std::uint64_t cuts = 0;
  std::uint64_t crashes = 0;
  std::uint64_t intrusions = 0;
  std::uint64_t replays = 0;
  std::uint64_t exchanges = 0;
  std::uint64_t joins = 0;
  std::uint64_t full = 0;
  void add(const FleetCoverage& other);
};

// One history. Returns a description of the first violation of the invariant; "": there was none.
std::string run_fleet(const FleetOptions& options, FleetInvariant invariant,
                      FleetCoverage& coverage);

}  // namespace claimsd::sim
