// fleet_invariants.h: the invariants of a fleet, which are checked after every step of its histories
// (fleet_model.h).
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string_view>

namespace claimsd::sim {

enum class FleetInvariant : std::size_t {
  kEverywhere,
  kConverges,
  kForeign,
  kReplay,
  kOldPulse,
  kBounded,
};

struct FleetInvariantRow {
  std::string_view name;
  std::string_view says;
};

// By FleetInvariant.
inline constexpr auto kFleetInvariants = std::to_array<FleetInvariantRow>({
    {"fleet_everywhere", "after --everywhere returned, every current host has the action"},
    {"fleet_converges",
     "after the network is whole again, all hosts have everything and are current"},
    {"fleet_foreign", "what is not sealed under the fleet's key changes nothing"},
    {"fleet_replay", "a replay changes nothing: no item is applied twice"},
    {"fleet_old_pulse", "without a recent pulse no host is current"},
    {"fleet_bounded", "queues, tables and sets stay within what was ordered"},
});

using FleetInvariants = std::bitset<kFleetInvariants.size()>;

inline FleetInvariants only(FleetInvariant one) {
  return FleetInvariants().set(static_cast<std::size_t>(one));
}

}  // namespace claimsd::sim
