// audit_stats.h: state and counters of the audit log, for status, health and metrics. Plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/audit/record.h"
#include "daemon/base/clock.h"
#include "daemon/base/counter_table.h"

namespace claimsd::daemon {

// clang-format off
#define CLAIMSD_AUDIT_COUNTERS(C) \
  C(audit_records,  "Records in the audit log that are on disk") \
  C(audit_events,   "Events that these records represent") \
  C(audit_commits,  "Commits of the audit log, each with many records") \
  C(audit_failures, "Failed commits of the audit log") \
  C(audit_denied,   "Events that could not be recorded, whose answers were withheld") \
  C(audit_allowed,  "Events that could not be recorded, whose answers were sent anyway")
// clang-format on

CLAIMSD_COUNTER_STRUCT(AuditCounters, CLAIMSD_AUDIT_COUNTERS)

enum class AuditState : std::uint8_t {
  kOff,        // no audit log is configured
  kWritable,   // submitted events are written
  kDiskFull,   // events are rejected until there is space again
  kReopening,  // a write failed: events are rejected until the log has been checked and reopened
};

constexpr std::string_view name_of(AuditState state) {
  switch (state) {
    case AuditState::kOff: return "off";
    case AuditState::kWritable: return "writable";
    case AuditState::kDiskFull: return "disk_full";
    case AuditState::kReopening: return "reopening";
  }
  return "";
}

struct AuditStats {
  AuditState state = AuditState::kOff;
  AuditCounters counters;      // since start
  AuditSequence sequence = 0;  // of the last record
  std::uint64_t bytes = 0;     // of all segments
  std::uint64_t segments = 0;
  // Time since an event was last rejected because the queue was full although the disk was working.
  std::optional<Duration> overflowed;
};

}  // namespace claimsd::daemon
