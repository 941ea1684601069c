// service.h: whose token is this? The whole policy of the daemon, as a state machine without I/O.
//
// Things happen to it (a question, the end of a request, a connection closing, time passing), and
// it answers waiters through the AnswerSink and starts requests through Upstream. Each question
// gets exactly one answer, within the question's own time-out, unless its connection goes first.
// Time is asked for: call tick() when wake_time() has come. It must outlive nothing it was given.
// Loop thread. Rules and reasons: ARCHITECTURE.md, "What an answer may be".
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
  std::size_t hot_entries = 1'024;   // kept open in memory
  std::size_t max_in_flight = 64;    // requests on their way to one Auth API
  std::size_t max_pending = 4'096;   // requests to one Auth API waiting for their turn
  std::size_t max_waiters = 65'536;  // questions waiting
  std::size_t max_waiters_per_uid = 16'384;
  Duration max_timeout = seconds(30);
  Duration lease = seconds(5);  // how long a worker relies on the map before it asks again
  RevocationPolicy revocations;
  GatePolicy gate;  // its max_in_flight is the one above
  BudgetPolicy budget;
  ReportPolicy reports;
  AuditScope audit;                       // of what a record must be durable before it leaves
  std::vector<UpstreamPolicy> upstreams;  // by UpstreamId
};

struct Question {
  UpstreamId upstream = 0;
  std::string_view token;           // read during ask() alone
  std::optional<Duration> max_age;  // none: any age; 0: ask the Auth API now
  Duration timeout{};               // 0: the policy's longest
  bool wants_lease = false;         // the asker looks into the map first
  std::uint32_t uid = 0;            // who asks
  Origin origin;                    // on whose behalf; read during ask() alone
};

// Its origin without what may not be logged.
Origin loggable_origin(const Question& question);

// The world that a service lives in; all of it outlives the service.
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
  // Takes up what the cache still holds.
  ClaimsService(Policy policy, World world);

  // False: it was turned away, being over its peer's budget. Whoever asks for more of the same may
  // be made to wait.
  bool ask(const Question& question, const Waiter& waiter);
  // To be written down; exactly one receipt (service_reports.cc). False: it is beyond its peer's
  // rate, and whoever has more of them may be made to wait.
  bool report(const Report& report, const Waiter& waiter);
  void landed(FlightId id, const FetchOutcome& outcome);
  void disconnected(std::uint64_t connection);
  // The record with this ticket is durable, or will never be (service_audit.cc).
  void recorded(AuditTicket ticket, bool durable);

  // In effect, for every question that begins later, when they return (service_orders.cc).
  void purge(const Order& order, OrderDone done);
  void revoke(const Order& order, OrderDone done);
  // Rules of an earlier run; before the first question.
  void restore(const std::vector<Rule>& rules);

  // From now on (service_reload.cc). What is waited for goes on; upstreams and sizes made at the
  // start (entries, refusals, rules) stay as they were.
  void reconfigure(Policy policy);
  // The publisher shows nothing any more of what it was given: whoever asks is shown it anew.
  void forget_shown() { hot_.clear(); }

  // For an operator who looks (service_inspection.cc): at most `most` entries, in the order of
  // their keys, after `after`; gives back where to go on, none at the end. And what is known of one
  // token, at each Auth API.
  std::optional<TokenKey> inspect(const std::optional<TokenKey>& after, std::size_t most,
                                  const std::function<void(const EntryDescription&)>& visit);
  void inspect_token(std::string_view token, const std::function<void(const TokenFinding&)>& visit);

  // When tick() will have something to do; none: not before something else happens.
  std::optional<BootTime> wake_time() const;
  // The same from now.
  std::optional<Duration> wait_time() const;
  void tick();

  // From here on nothing new is asked of an Auth API; what is in flight is still answered, what
  // waits for its turn is turned away at once.
  void stop();
  bool idle() const { return flights_.waiting() == 0 && held_.waiting() == 0; }

  const Counters& counters() const { return counters_; }
  const LookupStatistics& lookups() const { return lookups_; }
  const Flights& flights() const { return flights_; }
  std::size_t held_answers() const { return held_.waiting(); }
  std::size_t negative_entries() const { return negatives_.size(); }
  std::size_t revocation_rules() const { return guard_.rules().size(); }
  // How much longer a failing Auth API is left alone; 0: it is asked.
  Duration left_alone(UpstreamId upstream) const {
    return lanes_.at(upstream).gate.shut_for(world_.clock.now().boot).value_or(Duration(0));
  }

 private:
  bool revoked_token(const Question& question, const Waiter& waiter, const Now& now);
  // Of one Auth API.
  struct Lane {
    UpstreamGate gate;
    UrlOrder urls;
  };

  // What an answer is about, for who must write it down before it leaves.
  struct About {
    std::uint32_t uid = 0;
    UpstreamId upstream = 0;
    std::string_view token;
    const TokenKey* key = nullptr;  // of a valid one
    Origin origin;
    BootTime deadline{};
    int status = 0;  // of the Auth API's answer
    Duration took{};
    bool wants_lease = false;  // once it has left
    BootTime stale_until{};    // of a stale one
  };
  // What became of the request that somebody waited for.
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

  // When nobody can say (service_unavailable.cc).
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
  // One of those who were still there, if anybody was.
  std::optional<Waiter> answer_all(const Flight& flight, const std::vector<WaiterId>& waiters,
                                   Answer answer, const Landing& landing);
  void deliver(const Question& question, const Waiter& waiter, const Answer& answer,
               const TokenKey& key = {});
  void deliver(const Waiting& waiting, const Answer& answer, const Landing& landing);
  void reply(const Waiter& waiter, const Answer& answer);
  BootTime deadline_after(Duration timeout, const Now& now) const;

  // What must be written down first (service_audit.cc).
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
  TokenBuckets<std::uint64_t> reports_;  // by uid, and whether the daemon knows the user
  KnownTokens known_;
  KnownTokens refresh_failed_;
  FailingTokens failing_;
  Leases leases_;
  HeldAnswers held_;
  JsonRoom json_;                       // tokens and claims are parsed in it
  bool turned_away_ = false;            // the question at hand
  std::optional<BootTime> next_sweep_;  // of hot_; none while that is empty
  BootTime next_expiry_{};              // of rules
  bool stopping_ = false;
};

}  // namespace claimsd::daemon
