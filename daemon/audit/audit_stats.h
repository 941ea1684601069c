// audit_stats.h: state and counters of the audit log, for status, health and metrics. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/audit/record.h"
#include "daemon/base/clock.h"
#include "daemon/base/counter_table.h"

namespace claimsd::audit {

// clang-format off
#define CLAIMSD_AUDIT_COUNTERS(C) \
  C(audit_records,  "Records in the audit log that are on disk") \
  C(audit_events,   "Events that these records represent") \
  C(audit_commits,  "Commits of the audit log, each with many records") \
  C(audit_failures, "Failed commits of the audit log") \
  C(audit_unavailable,   "Events that could not be recorded, whose answers were withheld") \
  C(audit_unrecorded,  "Events that could not be recorded, whose answers were sent anyway") \
  C(audit_over_quota, "Reports beyond `audit.max_bytes_per_uid`, counted in the audit log but not written") \
  C(audit_dropped_early, "Segments of the audit log deleted before `audit.keep`, because of `audit.max_bytes`") \
  C(audit_clock_jumps, "Times that the wall clock was set by more than a minute")
// clang-format on

CLAIMSD_COUNTER_STRUCT(Counters, CLAIMSD_AUDIT_COUNTERS)

enum class State : std::uint8_t {
  kOff,        // no audit log is configured
  kWritable,   // submitted events are written
  kDiskFull,   // events are rejected until there is space again
  kReopening,  // a write failed: events are rejected until the log has been checked and reopened
};

constexpr std::string_view name_of(State state) {
  switch (state) {
    case State::kOff: return "off";
    case State::kWritable: return "writable";
    case State::kDiskFull: return "disk_full";
    case State::kReopening: return "reopening";
  }
  return "";
}

struct Stats {
  State state = State::kOff;
  Counters counters;        // since start
  Sequence sequence = 0;    // of the last record
  std::uint64_t bytes = 0;  // of all segments
  std::uint64_t segments = 0;
  // Time since an event was last rejected because the queue was full although the disk was working.
  std::optional<Duration> overflowed;
  std::optional<Duration> dropped_early;  // time since a segment was last deleted before audit.keep
  std::optional<Duration> clock_jumped;   // time since the wall clock was last set
};

}  // namespace claimsd::audit
