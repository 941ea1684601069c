// status.h: what an operator may see of the fleet. Plain values; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/claims/revocation/rule.h"

namespace claimsd::fleet {

// Why a host is current, or why it is not. The first that applies.
enum class Currency : std::uint8_t {
  kCurrent,
  kNeverCurrent,  // since it was installed
  kDisconnected,  // no connection to Redis
  kNoPulse,       // no fresh pulse for kPulseLimit
  kClockDiffers,  // pulses arrive, but their time is not that of Redis
  kBehind,        // a pulse covers actions that this host lacks
  kTooOld,        // a host with a newer version sent what every host must understand
  kFull,          // there was no room for a received action
  kHostIdShared,  // another host has the same host id
};

const char* text_of(Currency currency);

struct HostStatus {
  claims::HostId id;
  std::string name;
  std::string version;
  Currency currency = Currency::kNeverCurrent;
  WallTime written_at{};  // Redis time
  std::uint64_t items = 0;
  bool is_this_host = false;
};

// Whether one action is in effect everywhere.
struct Acknowledgement {
  std::size_t hosts = 0;  // this one included
  std::size_t acknowledged = 0;
  std::vector<std::string> missing;  // names, at most kMaxMissing
  // This host is current, and no host that it does not know can be current without the action.
  bool knows_all_hosts = false;
  bool everywhere() const { return knows_all_hosts && acknowledged == hosts; }
};
inline constexpr std::size_t kMaxMissing = 100;

// Monotonic.
struct FleetCounters {
  std::uint64_t published = 0;     // items, repeats included
  std::uint64_t applied = 0;       // items received and put into effect
  std::uint64_t duplicates = 0;    // items received again
  std::uint64_t unsealed = 0;      // received, but not sealed under a key of this host
  std::uint64_t malformed = 0;     // sealed, but unreadable or from a newer version
  std::uint64_t ended = 0;         // items received after their end
  std::uint64_t refused_full = 0;  // items without room
  std::uint64_t pulses = 0;        // fresh ones
  std::uint64_t stale_pulses = 0;  // refused: an old time, or a sequence that does not rise
  std::uint64_t pulses_written = 0;
  std::uint64_t exchanges = 0;     // differences that led to an exchange of buckets
  std::uint64_t rows_dropped = 0;  // rows that did not fit into the table of hosts
};

struct FleetStatus {
  Currency currency = Currency::kNeverCurrent;
  bool answers = false;                // whether this host may answer queries at all
  std::optional<WallTime> last_pulse;  // Redis time of the last fresh one
  std::optional<Duration> pulse_age;
  std::optional<Duration> clock_ahead;  // this host's wall clock minus that of Redis
  std::uint64_t items = 0;              // actions and withdrawals shared by the fleet
  std::uint64_t unpublished = 0;        // of this host, not yet seen in the log
  std::uint64_t not_durable = 0;        // in effect, but not on disk yet
  std::uint64_t hosts = 0;
  bool writes_pulse = false;  // this host wrote the last pulse
  FleetCounters counters;
};

}  // namespace claimsd::fleet
