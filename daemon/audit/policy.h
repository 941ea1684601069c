// policy.h: audit options and the decisions that follow from them. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "daemon/audit/events.h"
#include "daemon/claims/audit/audit_sink.h"

namespace claimsd::audit {

enum class WhenFull : std::uint8_t {
  kUnavailable,      // an event that cannot be recorded is not answered
  kAllowUnrecorded,  // it is answered, and counted as missing from the log
};

struct Policy {
  Level level = Level::kFailures;
  bool before_answer = true;  // an answer is sent only once its record is on disk
  WhenFull when_full = WhenFull::kUnavailable;
  std::size_t max_records = 4096;   // waiting for a commit; a folded record counts once
  std::size_t max_tickets = 65536;  // answers waiting for their record
  // A peer's records of one commit that differ only in token, process or route: those beyond this
  // number are folded into one.
  std::size_t max_distinct = 8;
  // The same per second, so that a sustained flood adds one or two records per commit instead of
  // nine. Otherwise it would fill the log within hours and evict the oldest segments.
  std::size_t max_distinct_a_second = 128;
  // Bytes of records that one uid may cause per day (uid_quota.h); 0: no limit.
  std::uint64_t max_bytes_per_uid = std::uint64_t{64} << 20;
};

// The result for an event that could not be recorded.
constexpr claims::AuditDecision without_record(const Policy& policy) {
  return policy.when_full == WhenFull::kUnavailable ? claims::AuditDecision::kUnavailable
                                                    : claims::AuditDecision::kProceed;
}

// Dynamic threshold (Choudhury and Hahne, 1998): a peer may hold no more than the free space. One
// peer can fill half of the queue, two can fill a third each, and there is always room for another.
constexpr bool within_share(std::size_t own, std::size_t all, std::size_t limit) {
  return all < limit && own < limit - all;
}

}  // namespace claimsd::audit
