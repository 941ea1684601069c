// pending_audit.h: the exit of every answer, receipt and lease. What must be recorded waits here
// until its audit record is durable, and is revalidated when it leaves.
//
// Owns the pending answers (claims/audit/pending_answers.h) and the statistics of answers. Each
// waiter that is passed in gets exactly one answer or receipt, by its deadline, unless it
// disconnects first. A lease is published only after its record is durable, if leases are recorded.
// Owned by ClaimsService; loop thread.
#pragma once

#include <optional>

#include "daemon/claims/audit/pending_answers.h"
#include "daemon/claims/counters.h"
#include "daemon/claims/lookup_statistics.h"
#include "daemon/claims/service/policy.h"
#include "daemon/claims/service/verdict_cache.h"

namespace claimsd::claims {

// What an answer is about. Views and pointers are valid during the call only.
struct About {
  std::uint32_t uid = 0;
  UpstreamId upstream = 0;
  std::string_view token;
  const TokenKey* key = nullptr;  // of a valid answer
  Origin origin;
  BootTime deadline{};
  int status = 0;  // of the Auth API's response
  Duration took{};
  bool wants_lease = false;  // publish a lease after the answer is sent
  BootTime stale_until{};    // of a stale answer
};

class PendingAudit {
 public:
  struct Dependencies {
    const Policy& policy;
    Clock& clock;
    AnswerSink& sink;
    AuditSink& audit;
    const RevocationGuard& guard;
    Leases& leases;
    Counters& counters;
    LookupStatistics& lookups;
  };
  explicit PendingAudit(Dependencies deps) : deps_(deps) {}

  // True if the policy requires a record before this answer leaves: pass it to send_recorded().
  bool covers(const Answer& answer) const { return deps_.policy.audit.covers(answer); }
  // Sends an answer that needs no record.
  void send(const Waiter& waiter, const Answer& answer);
  // Sends an answer as soon as its record is durable, then publishes its lease.
  void send_recorded(const About& about, const Waiter& waiter, const Answer& answer);
  // Publishes a lease for the cached entry of `about`. If leases are recorded, waits until the record
  // is durable.
  void publish_lease(const About& about, const Waiter& waiter);
  // Records a worker's report, and the number of its lost reports if that was accepted. The receipt
  // is sent when the report is durable.
  void record_report(const AuditedEvent& event, std::uint32_t lost, BootTime deadline);
  // Sends the receipt of a report.
  void acknowledge(const Waiter& waiter, bool recorded);

  // The record with this ticket is durable, or never will be.
  void recorded(AuditTicket ticket, bool durable);
  // The Auth API rejected this token in a request that started at `started`: pending answers that
  // confirmed it earlier are rejected too.
  void rejected(const TokenKey& key, BootTime started) { pending_.reject(key, started); }
  // Fails what has waited until its deadline.
  void expire(BootTime now);
  void disconnected(std::uint64_t connection) { pending_.drop_connection(connection); }
  std::optional<BootTime> next_deadline() const { return pending_.next_deadline(); }
  std::size_t waiting() const { return pending_.waiting(); }

 private:
  void add(AuditTicket ticket, const About& about, const Waiter& waiter, const Answer& answer);
  Answer revalidate(const PendingAnswer& pending, const Now& now) const;
  void supersede(const PendingAnswer& pending, const Answer& answer);
  void fail_unrecorded(const Waiter& waiter);

  Dependencies deps_;
  PendingAnswers pending_;
};

}  // namespace claimsd::claims
