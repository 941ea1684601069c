// audit_sink.h: port through which the policy submits audit events and learns whether an answer
// may be sent. The production implementation is daemon/audit/recorder.h.
//
// An answer that requires an audit record is sent only after the record is durable, and is
// revalidated at that point (service/pending_audit.h). Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/origin.h"
#include "daemon/claims/ports.h"

namespace claimsd::claims {

// Identifies an answer that waits for its record. 0: no answer waits.
using AuditTicket = std::uint64_t;

// What to do with the answer whose event was submitted.
enum class AuditDecision : std::uint8_t {
  kProceed,      // send it now
  kPending,      // send it after recorded() reports this ticket as durable
  kUnavailable,  // do not send it: the peer gets "unavailable"
};

// Which answers must be recorded. Workers that read the shared map serve hits without the daemon,
// so `hits` requires that they are not given the map.
struct AuditScope {
  bool failures = false;       // every answer that is not valid
  bool verifications = false;  // valid, confirmed by the Auth API
  bool leases = false;         // leases granted or renewed
  bool hits = false;           // valid, from the cache

  constexpr bool covers(const Answer& answer) const {
    if (answer.reason != proto::Reason::kOk) return failures;
    return answer.source == proto::Source::kUpstream ? verifications : hits;
  }
};

// An event to record. All views are valid during the call only.
struct AuditedEvent {
  enum class Kind : std::uint8_t {
    kAnswer,        // an answer is about to be sent
    kSupersession,  // an earlier recorded answer is superseded by a different one
    kLease,         // an answer is about to be published as a lease
    kReport,        // a worker denied a request
    kLost,          // a worker counted reports that were never acknowledged
  };
  Kind kind = Kind::kAnswer;
  Waiter waiter;          // identifies the peer by its connection; connection 0: no waiter
  std::uint32_t uid = 0;  // fallback if the connection has closed
  UpstreamId upstream = 0;
  std::string_view token;
  std::string_view claims;  // a claims block; "": the user is unknown
  proto::Reason reason = proto::Reason::kOk;
  proto::Source source = proto::Source::kNone;
  int status = 0;   // HTTP status from the Auth API or the worker; 0: none
  Duration took{};  // of the Auth API request; for a lease, its length
  Origin origin;
  // The following fields are set for reports only.
  std::string_view user;         // used when `claims` is empty
  bool user_is_claimed = false;  // only the worker vouches for `user`
  std::string_view method;
  std::string_view required;
  bool aggregated = false;  // may be aggregated with similar reports, without user or token
  std::uint64_t count = 1;  // number of reports, for kLost
};

class AuditSink {
 public:
  virtual ~AuditSink() = default;
  // If the result is kPending, the recorder later calls ClaimsService::recorded() with `ticket`,
  // exactly once.
  virtual AuditDecision record(const AuditedEvent& event, AuditTicket ticket) = 0;
};

// Records nothing and lets every answer pass.
class NoAuditSink final : public AuditSink {
 public:
  AuditDecision record(const AuditedEvent&, AuditTicket) override {
    return AuditDecision::kProceed;
  }
};

}  // namespace claimsd::claims
