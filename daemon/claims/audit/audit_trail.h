// audit_trail.h: what the policy tells the audit log, and what that says of when an answer may
// leave. A port, as those of ports.h; the real one is daemon/audit/recorder.h.
//
// An answer whose record is due leaves only once that is durable, and is decided again then
// (ClaimsService, service_audit.cc). Loop thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/origin.h"
#include "daemon/claims/ports.h"

namespace claimsd::daemon {

// Names an answer that waits for its record; 0: nobody waits.
using AuditTicket = std::uint64_t;

// What becomes of the answer whose event was submitted.
enum class AuditVerdict : std::uint8_t {
  kGo,    // it may leave now
  kWait,  // it may leave when its ticket is completed with kGo
  kDeny,  // it may not leave: answer that nobody could say
};

// Which of the answers have to be recorded. A hit that nobody asks the daemon about cannot be: with
// `hits` workers must not be given the map.
struct AuditScope {
  bool failures = false;       // every answer that is not valid
  bool verifications = false;  // valid, from the Auth API
  bool leases = false;         // leases granted or renewed
  bool hits = false;           // valid, from the cache

  constexpr bool covers(const Answer& answer) const {
    if (answer.reason != proto::Reason::kOk) return failures;
    return answer.source == proto::Source::kUpstream ? verifications : hits;
  }
};

// Views, readable during the call.
struct AuditedEvent {
  enum class Kind : std::uint8_t {
    kAnswer,    // an answer is about to leave
    kReversal,  // the answer of an earlier event is about to leave otherwise
    kLease,     // workers are about to be shown an answer
    kReport,    // a worker has refused a request
    kLost,      // a worker says that reports of it were never acknowledged
  };
  Kind kind = Kind::kAnswer;
  Waiter waiter;          // whose connection tells the peer; connection 0: nobody asked
  std::uint32_t uid = 0;  // who asked, should the connection be gone
  UpstreamId upstream = 0;
  std::string_view token;
  std::string_view claims;  // a block; "": the user is not known
  proto::Reason reason = proto::Reason::kOk;
  proto::Source source = proto::Source::kNone;
  int status = 0;   // of the Auth API's answer, or the worker's; 0: none
  Duration took{};  // the Auth API's time; of a lease: its length
  Origin origin;
  // Of a report.
  std::string_view user;         // where `claims` does not tell
  bool user_is_claimed = false;  // by the worker alone
  std::string_view method;
  std::string_view required;
  bool brief = false;       // may stand for others like it, without whose they were
  std::uint64_t count = 1;  // of kLost
};

class AuditTrail {
 public:
  virtual ~AuditTrail() = default;
  // With kWait, recorded() of the service is called with `ticket`, later, exactly once.
  virtual AuditVerdict record(const AuditedEvent& event, AuditTicket ticket) = 0;
};

// Keeps no record.
class NoAuditTrail final : public AuditTrail {
 public:
  AuditVerdict record(const AuditedEvent&, AuditTicket) override { return AuditVerdict::kGo; }
};

}  // namespace claimsd::daemon
