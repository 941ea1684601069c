// service.h: answers which user a token belongs to. The daemon's whole policy, as a state machine
// without I/O.
//
// Inputs are queries, completed requests, closed connections and the passage of time. The service
// answers waiters through AnswerSink and starts requests through Upstream. Each query gets exactly
// one answer, within its own timeout, unless its connection closes first. The owner calls tick()
// when wake_time() is reached. Everything in World must outlive the service. Loop thread. Rules and
// reasons: ARCHITECTURE.md, "Invariants", and TTL.md.
#pragma once

#include <optional>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/audit/audit_trail.h"
#include "daemon/claims/audit/held_answers.h"
#include "daemon/claims/audit/report.h"
#include "daemon/claims/cache/freshness.h"
#include "daemon/claims/cache/hot_entries.h"
#include "daemon/claims/cache/leases.h"
#include "daemon/claims/cache/negative.h"
#include "daemon/claims/cache/sieve.h"
#include "daemon/claims/counters.h"
#include "daemon/claims/inspection.h"
#include "daemon/claims/lookup_statistics.h"
#include "daemon/claims/parse/json_room.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/orders.h"
#include "daemon/claims/revocation/revocation_guard.h"
#include "daemon/claims/upstream/failing_tokens.h"
#include "daemon/claims/upstream/flights.h"
#include "daemon/claims/upstream/miss_budget.h"
#include "daemon/claims/upstream/outcome.h"
#include "daemon/claims/upstream/upstream_gate.h"
#include "daemon/claims/upstream/url_order.h"

namespace claimsd::daemon {

struct Policy {
  LifePolicy life;
  Duration negative_ttl = seconds(5);
  std::size_t negative_entries = 10'000;
  std::size_t max_entries = 100'000;
  std::size_t hot_entries = 1'024;   // in-memory cache entries
  std::size_t max_in_flight = 64;    // requests in flight to one Auth API
  std::size_t max_pending = 4'096;   // requests to one Auth API waiting for their turn
  std::size_t max_waiters = 65'536;  // queries waiting
  std::size_t max_waiters_per_uid = 16'384;
  Duration max_timeout = seconds(30);
  Duration lease = seconds(5);  // how long a worker may use a published entry
  RevocationPolicy revocations;
  GatePolicy gate;  // max_in_flight is set from above
  BudgetPolicy budget;
  ReportPolicy reports;
  AuditScope audit;  // answers whose records must be durable before they are sent
  std::vector<UpstreamPolicy> upstreams;  // indexed by UpstreamId
};

struct Question {
  UpstreamId upstream = 0;
  std::string_view token;           // valid during ask() only
  std::optional<Duration> max_age;  // nullopt: any age; 0: ask the Auth API now
  Duration timeout{};               // 0: the policy's maximum
  bool wants_lease = false;         // the client reads the shared map first
  std::uint32_t uid = 0;            // of the client process
  Origin origin;                    // the client's own client; valid during ask() only
};

// The query's origin without the parts that must not be logged.
Origin loggable_origin(const Question& question);

// Dependencies of a service. All must outlive it.
struct World {
  Clock& clock;
  Random& random;
  Keyer& keyer;
  ClaimsCache& cache;
  Upstream& upstream;
  AnswerSink& sink;
  Observer& observer;
  Publisher& publisher;
  Fingerprinter& fingerprinter;
  RevocationLog& revocation_log;
  AuditTrail& audit;
};

class ClaimsService {
 public:
  // Starts with the entries already in the cache.
  ClaimsService(Policy policy, World world);

  // Processes a query. False: its peer is over its rate limit and may be throttled.
  bool ask(const Question& question, const Waiter& waiter);
  // Records a report and sends exactly one receipt (service_reports.cc). False: the peer is over
  // its report rate and may be throttled.
  bool report(const Report& report, const Waiter& waiter);
  void landed(FlightId id, const FetchOutcome& outcome);
  void disconnected(std::uint64_t connection);
  // The record with this ticket is durable, or never will be (service_audit.cc).
  void recorded(AuditTicket ticket, bool durable);

  // In effect for every query that starts after these functions return (service_orders.cc).
  void purge(const Order& order, OrderDone done);
  void revoke(const Order& order, OrderDone done);
  // Adds rules of an earlier run. Call before the first query.
  void restore(const std::vector<Rule>& rules);

  // Applies a new policy from now on (service_reload.cc). Queries in progress continue. Upstreams,
  // and sizes fixed at startup (entries, negative entries, rules), do not change.
  void reconfigure(Policy policy);
  // Call after the publisher has lost all published leases: they are published again on demand.
  void forget_shown() { hot_.clear(); }

  // For operators (service_inspection.cc). inspect() visits up to `most` entries in key order,
  // starting after `after`, and returns the key to continue after, or nullopt at the end.
  // inspect_token() reports what is known about one token at each Auth API.
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
  bool idle() const { return flights_.waiting() == 0 && held_.waiting() == 0; }

  const Counters& counters() const { return counters_; }
  const LookupStatistics& lookups() const { return lookups_; }
  const Flights& flights() const { return flights_; }
  std::size_t held_answers() const { return held_.waiting(); }
  std::size_t negative_entries() const { return negatives_.size(); }
  std::size_t revocation_rules() const { return guard_.rules().size(); }
  // Remaining backoff of a failing Auth API; 0: requests are allowed.
  Duration left_alone(UpstreamId upstream) const {
    return lanes_.at(upstream).gate.shut_for(world_.clock.now().boot).value_or(Duration(0));
  }

 private:
  bool revoked_token(const Question& question, const Waiter& waiter, const Now& now);
  // State of one Auth API.
  struct Lane {
    UpstreamGate gate;
    UrlOrder urls;
  };

  // What an answer is about; needed to write its audit record before it is sent.
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
  // Result of the request that a query waited for.
  struct Landing {
    std::string_view token;
    int status = 0;
    Duration took{};
    bool wants_lease = false;
    BootTime stale_until{};
  };

  static About about(const Question& question, const TokenKey& key);
  void answer_question(const Question& question, const Waiter& waiter);
  bool answer_from_cache(const TokenKey& key, const Question& question, const Waiter& waiter,
                         const Now& now);
  void answer_hit(const TokenKey& key, const Entry& entry, const Question& question,
                  const Waiter& waiter, const Now& now, Freshness freshness);
  void refresh(const TokenKey& key, const Question& question, const Now& now);
  bool refuse_locally(const TokenKey& key, const Question& question, const Waiter& waiter,
                      const Now& now, JwtTimes& times);
  void enqueue(const TokenKey& key, const Question& question, const Waiter& waiter, const Now& now,
               const JwtTimes& times);
  static bool comes_too_late(const Flight& flight, const Question& question, const Now& now);
  void start_pending(UpstreamId upstream, const Now& now);
  void send(Flight& flight, const Now& now);
  bool try_next_url(Flight& flight, const Judgement& judgement, const Now& now);
  template <class Change>
  void change_gate(UpstreamId upstream, Change&& change);
  EntryDescription describe(const TokenKey& key, const Entry& entry,
                            std::optional<UpstreamId> upstream, const Now& now) const;
  bool said_before(const Flight& flight, const Judgement& judgement, const Now& now) const;
  void note_health(const Flight& flight, const Judgement& judgement, const Now& now);

  // Answers for when no verdict is available (service_unavailable.cc).
  std::optional<Answer> leave_alone(UpstreamId upstream, const TokenKey& key, const Now& now);
  std::optional<Answer> turn_down(const Question& question, const Flight* flight,
                                  bool makes_request, bool known, const Now& now);
  bool is_full(const Question& question, const Flight* flight, bool known, const Now& now);
  void hand_over(const Waiting& waiting, const Answer& answer, const Landing& landing);
  proto::Source stale_or(const Waiting& waiting, const Answer& answer, const Landing& landing);
  std::optional<Answer> stale_answer(const Waiting& waiting, BootTime& until);
  void shed_pending(UpstreamId upstream);
  void drop_pending(UpstreamId upstream, const Answer& answer);
  Answer settle(const Flight& flight, const Judgement& judgement, const FetchOutcome& outcome,
                const Now& now);
  Answer confirm(const Flight& flight, const Judgement& judgement, const FetchOutcome& outcome,
                 const Now& now);
  Answer refuse(const Flight& flight, const Now& now);
  void keep(const TokenKey& key, const Entry& entry, const Now& now);
  void forget(const TokenKey& key);
  void evict_for(std::size_t room, const Now& now);
  bool is_denied(const Flight& flight, std::string_view claims, const Now& now) const;
  bool anybody_waits(const Flight& flight);
  // Returns one of the waiters that received the answer, if there were any.
  std::optional<Waiter> answer_all(const Flight& flight, const std::vector<WaiterId>& waiters,
                                   Answer answer, const Landing& landing);
  void deliver(const Question& question, const Waiter& waiter, const Answer& answer,
               const TokenKey& key = {});
  void deliver(const Waiting& waiting, const Answer& answer, const Landing& landing);
  void reply(const Waiter& waiter, const Answer& answer);
  BootTime deadline_after(Duration timeout, const Now& now) const;

  // Answers that must be recorded before they are sent (service_audit.cc).
  void leave_recorded(const About& about, const Waiter& waiter, const Answer& answer);
  void withhold(const Waiter& waiter);
  void give_up(const Held& held);
  Answer decide_again(const Held& held, const Now& now) const;
  void reverse(const Held& held, const Answer& answer);
  void show_lease(const About& about, const Waiter& waiter);
  void record_unasked(const Flight& flight, const Answer& answer, const Landing& landing);

  std::string confirmed_user(UpstreamId upstream, std::string_view token);
  bool within_rate(std::uint32_t uid, bool known, const Now& now);
  void record_lost(const Report& report, const Waiter& waiter);
  void acknowledge(const Waiter& waiter, bool recorded);

  template <class Visit>
  void each_upstream(const Order& order, Visit&& visit);
  static OrderOutcome check(const Order& order);
  void purge_user(const Order& order, const Now& now, OrderDone done);
  void purge_everybody(const Now& now, OrderDone done);
  std::vector<Rule> rules_for(const Order& order, const Now& now);
  bool add_rules(const std::vector<Rule>& rules, const Now& now);
  void keep_rules(const std::vector<Rule>& rules, std::optional<WallTime> until, OrderDone done);
  void expire_rules(const Now& now);
  void forget_token(const Order& order);

  Policy policy_;
  World world_;
  Counters counters_;
  LookupStatistics lookups_;
  Flights flights_;
  NegativeEntries negatives_;
  Sieve sieve_;
  HotEntries hot_;
  RevocationGuard guard_;
  std::vector<Lane> lanes_;  // by UpstreamId
  MissBudget budget_;
  TokenBuckets<std::uint64_t> reports_;  // key: uid, and whether the daemon knows the user
  KnownTokens known_;
  KnownTokens refresh_failed_;
  FailingTokens failing_;
  Leases leases_;
  HeldAnswers held_;
  JsonRoom json_;                       // buffers for parsing tokens and claims
  bool turned_away_ = false;            // the current query exceeded its rate limit
  std::optional<BootTime> next_sweep_;  // of hot_; nullopt while hot_ is empty
  BootTime next_expiry_{};              // when to look for expired rules next
  bool stopping_ = false;
};

}  // namespace claimsd::daemon
