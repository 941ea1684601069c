// service.h: answers which user a token belongs to. The daemon's whole policy, as a state machine
// without I/O.
//
// Inputs are queries, reports, admin actions, completed requests, durable records, closed
// connections and the passage of time. This class routes each to the part that decides
// (daemon/claims/service/) and takes every answer to its exit:
//   VerdictCache        what is remembered about tokens
//   UpstreamScheduler   requests to the Auth APIs, and who waits for them
//   Settlement          what a response says about its token
//   PendingAudit        the exit; what must be recorded waits there for its record
//   RevocationControl   purges and revocations
//   WorkerReports       reports of denied requests
//
// Each query gets exactly one answer, within its own timeout, unless its connection closes first.
// The owner calls tick() when wake_time() is reached. Everything in Dependencies must outlive the
// service. Loop thread. Rules and reasons: ARCHITECTURE.md, "Invariants", and TTL.md.
#pragma once

#include <optional>
#include <vector>

#include "daemon/claims/counters.h"
#include "daemon/claims/inspection.h"
#include "daemon/claims/lookup_statistics.h"
#include "daemon/claims/service/inspector.h"
#include "daemon/claims/service/pending_audit.h"
#include "daemon/claims/service/policy.h"
#include "daemon/claims/service/query.h"
#include "daemon/claims/service/revocation_control.h"
#include "daemon/claims/service/settlement.h"
#include "daemon/claims/service/upstream_scheduler.h"
#include "daemon/claims/service/verdict_cache.h"
#include "daemon/claims/service/worker_reports.h"

namespace claimsd::claims {

// Dependencies of a service. All must outlive it.
struct Dependencies {
  Clock& clock;
  Random& random;
  Keyer& keyer;
  ClaimsCache& cache;
  Upstream& upstream;
  AnswerSink& sink;
  Observer& observer;
  Publisher& publisher;
  Fingerprinter& fingerprinter;  // of a fleet: under the fleet's key
  RevocationLog& revocation_log;
  AuditSink& audit;
  // With a fleet: for rules that only this host has (RevocationGuard).
  Fingerprinter* host_fingerprinter = nullptr;
};

class ClaimsService {
 public:
  // Starts with the entries already in the cache.
  ClaimsService(Policy policy, Dependencies deps);
  ClaimsService(const ClaimsService&) = delete;  // its parts refer to each other
  ClaimsService& operator=(const ClaimsService&) = delete;
  ~ClaimsService() = default;

  // Processes a query. False: its peer is over its rate limit and may be throttled.
  bool query(const Query& query, const Waiter& waiter);
  // Records a report and sends exactly one receipt. False: the peer is over its report rate and may
  // be throttled.
  bool report(const Report& report, const Waiter& waiter);
  void on_complete(FlightId id, const FetchOutcome& outcome);
  void disconnected(std::uint64_t connection);
  // The record with this ticket is durable, or never will be.
  void recorded(AuditTicket ticket, bool durable) { audit_.recorded(ticket, durable); }

  // In effect for every query that starts after these functions return (RevocationControl).
  void purge(const AdminAction& action, ActionDone done);
  void revoke(const AdminAction& action, ActionDone done);
  // Withdraws the action with this id.
  void unrevoke(const ActionId& action, std::optional<std::uint32_t> actor_uid, ActionDone done) {
    revocations_.unrevoke(action, actor_uid, std::move(done));
  }
  // What another host of the fleet ordered (RevocationControl).
  bool apply(const std::vector<Rule>& rules, RevocationLog::Done done) {
    return revocations_.apply(rules, std::move(done));
  }
  bool apply(const Withdrawal& withdrawal, RevocationLog::Done done) {
    return revocations_.apply(withdrawal, std::move(done));
  }
  // False: this host may lack revocations of its fleet. Every query is answered kNotCurrent, every
  // lease is withdrawn and none is published, until it is true again.
  void set_complete(bool complete);
  // Adds what an earlier run stored. Call before the first query.
  void restore(const std::vector<Rule>& rules, const std::vector<Withdrawal>& withdrawals) {
    revocations_.restore(rules, withdrawals);
  }

  // Applies a new policy from now on. Queries in progress continue. Upstreams, and sizes fixed at
  // startup (entries, negative entries, rules), do not change.
  void reconfigure(Policy policy);
  // Call after the publisher has lost all published leases: they are published again on demand.
  void republish() { cache_.republish(); }

  // For operators. inspect() visits up to `most` entries in key order, starting after `after`, and
  // returns the key to continue after, or nullopt at the end. inspect_token() reports what is known
  // about one token at each Auth API.
  std::optional<TokenKey> inspect(const std::optional<TokenKey>& after, std::size_t most,
                                  const std::function<void(const EntryDescription&)>& visit);
  void inspect_token(std::string_view token, const std::function<void(const TokenFinding&)>& visit);

  // When tick() has work to do; nullopt: not until the next input.
  std::optional<BootTime> wake_time() const;
  // The same, relative to now.
  std::optional<Duration> wait_time() const;
  void tick();

  // Starts no new requests. Requests in flight are still answered; pending ones fail immediately.
  void stop();
  bool idle() const { return flights().waiting() == 0 && audit_.waiting() == 0; }

  const Counters& counters() const { return counters_; }
  const LookupStatistics& lookups() const { return lookups_; }
  const SingleFlight& flights() const { return upstreams_.flights(); }
  std::size_t pending_answers() const { return audit_.waiting(); }
  std::size_t negative_entries() const { return cache_.negative().size(); }
  std::size_t revocation_rules() const { return guard_.rules().size(); }
  const Revocations& revocations() const { return guard_.rules(); }
  // Remaining backoff of a failing Auth API; 0: requests are allowed.
  Duration backoff(UpstreamId upstream) const {
    return upstreams_.backoff(upstream, deps_.clock.now().boot);
  }
  // Ends the backoff of a failing Auth API, as an operator asked: the next query makes a request.
  // Returns the backoff that remained.
  Duration retry_now(UpstreamId upstream) {
    return upstreams_.retry_now(upstream, deps_.clock.now());
  }

 private:
  // What a waiter's answer is about, besides the query itself.
  struct Completion {
    std::string_view token;
    std::string_view document;  // the response's body
    int status = 0;
    Duration took{};
    bool wants_lease = false;
    BootTime stale_until{};  // set by or_stale()
  };

  // Finding an answer.
  void answer_hit(const VerdictCache::Hit& hit, const Query& query, const Waiter& waiter,
                  const Now& now);
  std::optional<Answer> reject_locally(const TokenKey& key, const Query& query, const Now& now,
                                       JwtTimes& times);
  bool wait_for_flight(const TokenKey& key, const Query& query, const Waiter& waiter,
                       const JwtTimes& times, const Now& now);
  Answer or_stale(const Waiting& waiting, const Answer& answer, Completion& completion);
  // Answering the waiters of a flight.
  std::optional<Waiter> answer_all(const Flight& flight, const std::vector<WaiterId>& waiters,
                                   Answer answer, const Completion& completion);
  void answer_waiter(const Waiting& waiting, const Answer& answer, Completion completion);
  void answer_unasked(const Flight& flight, const Answer& answer, const Completion& completion);
  void drop_pending(UpstreamId upstream, const Answer& answer);
  // Sending it: the only two ways to the exit.
  void send(const Query& query, const Waiter& waiter, const Answer& answer,
            const TokenKey& key = {});
  void send(const Waiting& waiting, const Answer& answer, const Completion& completion);
  Inspector inspector();

  Policy policy_;
  Dependencies deps_;
  Counters counters_;
  LookupStatistics lookups_;
  JsonBuffers json_;       // buffers for parsing tokens and claims
  RevocationGuard guard_;  // read by all parts, changed by revocations_
  VerdictCache cache_;
  UpstreamScheduler upstreams_;
  PendingAudit audit_;
  Settlement settlement_;
  WorkerReports reports_;
  RevocationControl revocations_;
};

}  // namespace claimsd::claims
