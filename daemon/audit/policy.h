// policy.h: what the configuration says about the audit log, and what follows for an answer. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

#include "daemon/audit/events.h"
#include "daemon/claims/audit/audit_trail.h"

namespace claimsd::daemon {

enum class AuditWhenFull : std::uint8_t {
  kDeny,           // what cannot be recorded is not answered
  kAllowAndCount,  // it is answered, and counted as missing from the log
};

struct AuditPolicy {
  AuditLevel level = AuditLevel::kFailures;
  bool before_answer = true;  // an answer leaves only once its record is on disk
  AuditWhenFull when_full = AuditWhenFull::kDeny;
  std::size_t max_records = 4096;   // that wait for one commit, folded ones as one
  std::size_t max_tickets = 65536;  // answers that wait for their record
  // From so many records on that differ in token, process or route alone, a peer's further ones of
  // a commit become one.
  std::size_t max_distinct = 8;
  // And from so many of a second on. A flood that goes on makes a record or two a commit, not nine:
  // else it would fill the log in hours and so have the oldest segments dropped.
  std::size_t max_distinct_a_second = 128;
};

// Of an event that could not be recorded.
constexpr AuditVerdict without_record(const AuditPolicy& policy) {
  return policy.when_full == AuditWhenFull::kDeny ? AuditVerdict::kDeny : AuditVerdict::kGo;
}

// Whoever wants more than the room that is left does not get it (the dynamic threshold of
// Choudhury and Hahne, 1998): one peer alone may fill half of the queue, two a third each, and
// there is always some left for a newcomer.
constexpr bool within_share(std::size_t own, std::size_t all, std::size_t limit) {
  return all < limit && own < limit - all;
}

}  // namespace claimsd::daemon
