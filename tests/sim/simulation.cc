#include "tests/sim/simulation.h"

#include <fmt/core.h>

#include <algorithm>

#include "tests/sim/actions.h"
#include "tests/sim/rules.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

namespace {

// Limit of nested reactions to answers.
constexpr unsigned kMaxReactions = 3;

}  // namespace

Simulation::Simulation(const Scenario& given, bool print, Coverage& cover,
                       std::vector<Invariant> checked)
    : scenario(given),
      dice(given.seed),
      trace(print),
      api(scenario, dice),
      random(given.seed ^ 0x0c0e),
      cache(records, clock, trace, given.store_bytes),
      upstream(records, clock, trace, scenario.policy),
      publisher(records, clock, trace),
      sink(records, clock, trace),
      audit(records, clock, sink, scenario.policy.ttl),
      coverage(cover),
      invariants_(std::move(checked)) {
  records.queries.reserve(2 * given.events);
  records.requests.reserve(given.events);
  for (unsigned i = 0; i < scenario.tokens; ++i) {
    const unsigned kind = dice.below(10);
    known.push_back(new_token(kind < 6   ? TokenKind::kJwt
                              : kind < 8 ? TokenKind::kWithoutIat
                                         : TokenKind::kOpaque));
  }
  audit.slow = scenario.audit_commit > Duration(0);
  audit.complete = [this](claims::AuditTicket ticket, bool durable) {
    service->recorded(ticket, durable);
  };
  revocation_log.on_durable = [this](const RevocationChange& change) { became_durable(change); };
  sink.before = [this] { upstream.note_completion(); };
  sink.due = [this](const TokenRecord& token) { return refresh_due(token); };
  sink.react = [this](const QueryRecord& query) { react(query); };
}

Simulation::~Simulation() {
  if (service) coverage.service_gone(service->counters());
}

std::optional<Violation> Simulation::run() {
  step("start", [&] { restart(false); });
  schedule(0s, EventKind::kAsk);
  while (steps_ < scenario.events && !violation_) next_event();
  wait_for_the_last();
  ++coverage.histories;
  return violation_;
}

// ---- time ---------------------------------------------------------------------------------------

void Simulation::schedule(Duration in, EventKind kind, std::uint32_t which) {
  queue_.push_back({clock.now().boot + in, dice.next(), kind, which});
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>());
}

void Simulation::next_event() {
  const std::optional<BootTime> wake = service->wake_time();
  if (wake && (queue_.empty() || *wake <= queue_.front().at)) {
    clock.reach(*wake);
    // A busy event loop is late.
    if (dice.percent(20)) clock.pass(dice.between(0ms, dice.percent(5) ? 500ms : 3ms));
    return tick();
  }
  std::pop_heap(queue_.begin(), queue_.end(), std::greater<>());
  const Event event = queue_.back();
  queue_.pop_back();
  clock.reach(event.at);
  happen(event);
}

void Simulation::happen(const Event& event) {
  switch (event.kind) {
    case EventKind::kAsk: return busy_day();
    case EventKind::kServed: return served(event.which);
    case EventKind::kCompleted: return completed(event.which);
    case EventKind::kEndOutage: return api.end_outage(static_cast<claims::UpstreamId>(event.which));
    case EventKind::kRestart:
      if (records.stopping) step("restart", [&] { restart(false); });
      return;
    case EventKind::kFleetFound: return step("host is current", [&] { set_complete(true); });
    case EventKind::kLogWritten:
      log_busy_ = false;
      return step("rules are written", [&] { revocation_log.commit(); });
    case EventKind::kAuditWritten:
      audit_busy_ = false;
      return step("records are written", [&] { audit.end_commit(); });
  }
}

void Simulation::tick() {
  step("tick", [&] {
    records.step.is_tick = true;
    service->tick();
  });
}

void Simulation::end_outage_after(claims::UpstreamId of, Duration delay) {
  schedule(delay, EventKind::kEndOutage, of);
}

void Simulation::lose_fleet_for(Duration delay) {
  set_complete(false);
  schedule(delay, EventKind::kFleetFound);
}

void Simulation::set_complete(bool complete) {
  records.complete = complete;
  service->set_complete(complete);
}

void Simulation::restart_after(Duration delay) {
  schedule(delay, EventKind::kRestart);
}

// ---- steps --------------------------------------------------------------------------------------

void Simulation::begin_step(std::string_view what) {
  records.step.begin(++steps_, clock.now(), records.kept);
  const claims::Policy& policy = scenario.policy;
  records.age_orders(clock.now(),
                     policy.revocations.margin + policy.ttl.clock_skew + policy.negative_ttl);
  trace.note({steps_, clock.now(), what, "", -1, 0});
}

void Simulation::end_step() {
  upstream.note_completion();
  coverage.step(records.step);
  for (const RequestNumber number : records.step.started) {
    schedule(api.way_there(), EventKind::kServed, number);
  }
  if (revocation_log.waiting() && !log_busy_) {
    log_busy_ = true;
    schedule(dice.between(1ms, 100ms), EventKind::kLogWritten);
  }
  if (audit.waiting() && !audit_busy_) {
    audit_busy_ = true;
    audit.begin_commit();
    // Occasionally a busy disk takes seconds.
    schedule(dice.percent(1) ? dice.between(1s, 20s) : dice.about(scenario.audit_commit),
             EventKind::kAuditWritten);
  }
  check();
}

void Simulation::check() {
  if (violation_) return;
  records.step.now = clock.now();
  const Facts facts{scenario.policy, records, upstream.health, *service, scenario.uids};
  for (const Invariant& invariant : invariants_) {
    std::string found = invariant.check(facts);
    if (found.empty()) continue;
    violation_ = Violation{scenario.seed, steps_, std::string(invariant.name), std::move(found),
                           trace.last()};
    return;
  }
}

// Makes no new queries; all open ones must still be answered.
void Simulation::wait_for_the_last() {
  over_ = true;
  for (unsigned left = 20'000; left > 0 && !violation_; --left) {
    if (records.open == 0 && records.in_flight == 0) return;
    if (queue_.empty() && !service->wake_time()) break;
    next_event();
  }
  if (!violation_ && records.open > 0) {
    violation_ = Violation{scenario.seed, steps_, "one_answer", "a query never gets an answer",
                           trace.last()};
  }
}

// ---- queries ------------------------------------------------------------------------------------

void Simulation::busy_day() {
  if (over_) return;
  const unsigned drawn = dice.below(100);
  if (drawn < scenario.junk) {
    ask_step(new_token(TokenKind::kJunk));
  } else if (drawn < scenario.junk + scenario.unusable) {
    const unsigned kind = dice.below(5);
    ask_step(new_token(kind == 0   ? TokenKind::kTooLong
                       : kind == 1 ? TokenKind::kOld
                                   : TokenKind::kMalformed));
  } else {
    ask_step(popular_token());
  }
  if (dice.below(scenario.queries_per_fault) == 0) something_happens(*this);
  schedule(dice.about(scenario.gap), EventKind::kAsk);
}

QueryParameters Simulation::draw_parameters() {
  QueryParameters parameters;
  if (dice.percent(scenario.with_max_age)) {
    parameters.max_age =
        dice.percent(30) ? Duration(0) : dice.between(0s, scenario.policy.ttl.max_ttl);
  }
  if (dice.percent(scenario.with_timeout)) parameters.timeout = dice.between(1ms, 40s);
  return parameters;
}

void Simulation::ask_step(TokenNumber token) {
  ask_step(token, draw_parameters());
}

void Simulation::ask_step(TokenNumber token, const QueryParameters& parameters) {
  step("ask", [&] { query(token, parameters); });
}

bool Simulation::stored_and_fresh(const TokenRecord& token,
                                  const std::optional<Duration>& max_age) {
  const Kept& kept = token.kept;
  if (!kept.present || kept.disowned || cache.failing_finds > 0 || !records.complete) return false;
  for (const ActionRecord& order : records.orders) {
    if (order.denies(token, true) || order.may_forget(token, kept.entry.confirmed_at)) {
      return false;
    }
  }
  const Now now = clock.now();
  const Duration age = now.boot - kept.entry.confirmed_at;
  if (max_age && (*max_age == Duration(0) || age > *max_age)) return false;
  if (now.boot >= kept.entry.fresh_until || age >= scenario.policy.ttl.max_ttl) return false;
  return !past_exp_less_skew(token, now, scenario.policy);
}

bool Simulation::has_room(const TokenRecord& token, std::uint32_t uid) const {
  const claims::Policy& policy = scenario.policy;
  const UpstreamHealth& health = upstream.health[token.upstream];
  const Records::OfUid& of_uid = records.uids[uid];
  return records.open - records.held < policy.max_waiters &&
         of_uid.open - of_uid.held < policy.max_waiters_per_uid &&
         health.state() == UpstreamHealth::State::kWorks &&
         records.upstreams[token.upstream].in_flight < health.window();
}

bool Simulation::refresh_due(const TokenRecord& token) const {
  const claims::TtlPolicy& ttl = scenario.policy.ttl;
  if (!token.kept.present) return false;
  const claims::Entry& entry = token.kept.entry;
  const BootTime end = std::min(entry.fresh_until, entry.confirmed_at + ttl.max_ttl);
  return end - clock.now().boot <= (end - entry.confirmed_at) / 100 * ttl.refresh_percent;
}

void Simulation::query(TokenNumber number, const QueryParameters& parameters) {
  TokenRecord& token = records.token(number);
  const Now now = clock.now();
  const Duration longest = scenario.policy.max_timeout;
  QueryRecord query;
  query.token = number;
  query.connection = 1 + dice.below(scenario.connections);
  query.asked = now;
  query.deadline = now.boot + (parameters.timeout <= Duration(0) || parameters.timeout > longest
                                   ? longest
                                   : parameters.timeout);
  query.answer_by = query.deadline;
  query.max_age = parameters.max_age;
  query.step = steps_;
  query.served_from_store = stored_and_fresh(token, parameters.max_age);
  query.uid = static_cast<std::uint32_t>(query.connection % scenario.uids);
  query.has_address = scenario.with_address && dice.percent(80);
  query.known = !token.confirmations.empty() &&
                token.confirmations.back().completed >= records.first_step &&
                token.confirmations.back().counts &&
                (!token.refusal || token.refusal->completed < token.confirmations.back().completed);
  query.room = has_room(token, query.uid);
  const auto id = static_cast<QueryNumber>(records.queries.size());
  records.queries.push_back(query);
  records.step.asked.push_back(id);
  records.add_deadline(query.deadline, id);
  token.open.push_back(id);
  ++token.queries;
  ++records.open;
  ++records.asked;
  Records::OfUid& uid = records.uids[query.uid];
  ++uid.open;
  ++uid.asked;
  if (!token.confirmations.empty()) ++uid.of_known;  // an upper bound
  trace.note({steps_, now, "query", "", number, id});
  const std::string address =
      query.has_address ? fmt::format("10.0.0.{}", dice.below(scenario.users)) : std::string();
  claims::Query asked{.upstream = token.upstream,
                      .token = token.text,
                      .max_age = parameters.max_age,
                      .timeout = parameters.timeout,
                      .uid = query.uid,
                      .origin = {.client_address = address}};
  asked.wants_lease = scenario.with_leases;
  service->query(asked, claims::Waiter{query.connection, id});
}

void Simulation::react(const QueryRecord& answered) {
  if (over_ || reactions_ >= kMaxReactions || !dice.percent(scenario.reacts)) return;
  ++reactions_;
  // Copies: new queries may move the records.
  const TokenNumber token = answered.token;
  const std::uint64_t connection = answered.connection;
  switch (dice.below(7)) {
    case 0:
    case 1: disconnect(connection); break;
    case 2: order(dice.percent(60), token); break;
    case 3:
    case 4: query(token, draw_parameters()); break;
    default: query(popular_token(), draw_parameters()); break;
  }
  --reactions_;
}

void Simulation::disconnect(std::uint64_t connection) {
  trace.note({steps_, clock.now(), "hangs up", "", -1, static_cast<std::int64_t>(connection)});
  for (QueryNumber id = 0; id < records.queries.size(); ++id) {
    QueryRecord& query = records.queries[id];
    if (query.connection != connection || query.answered || query.disconnected) continue;
    query.disconnected = true;
    records.close(id);
  }
  forget_reports(connection);
  service->disconnected(connection);
}

// ---- requests -----------------------------------------------------------------------------------

void Simulation::served(RequestNumber number) {
  RequestRecord& request = records.requests[number];
  const TokenRecord& token = records.token(request.token);
  const OldInstance* const old = upstream.pools[token.upstream].old(request.connection);
  request.response = old != nullptr ? AuthApi::serve_old(*old) : api.serve(token);
  schedule(api.way_back(request.response), EventKind::kCompleted, number);
}

void Simulation::completed(RequestNumber number) {
  RequestRecord& request = records.requests[number];
  if (request.completed || request.instance != records.instance) return;
  begin_step("landed");
  request.completed = true;
  records.step.completed = number;
  TokenRecord& token = records.token(request.token);
  --token.in_flight;
  --records.in_flight;
  --records.upstreams[token.upstream].in_flight;
  ++records.completed;
  const claims::Policy& policy = scenario.policy;
  const Response& response = request.response;
  upstream.pools[token.upstream].give_back(request.connection, response);
  const Meaning meaning = meaning_of(response, policy.upstreams[token.upstream]);
  trace.note({steps_, clock.now(), "result",
              meaning == Meaning::kConfirms  ? "confirms"
              : meaning == Meaning::kRefuses ? "rejects"
                                             : proto::name_of(reason_of(response)),
              request.token, number});
  const BootTime now = clock.now().boot;
  if (request.checked) note_check(token, meaning);
  // Of a rejection that the service wants to check, if it turns out so.
  const std::optional<Rejection> refusal_before = token.refusal;
  if (meaning == Meaning::kConfirms) {
    const bool is_disputed = request.checked || now < token.disputed_until;
    token.confirmations.push_back(
        {request.started, steps_, ttl_of(response, policy),
         response.no_store || response.varies || is_disputed, response.huge, response.version,
         !records.perhaps_denied(token) && !past_exp_and_skew(token, clock.now(), policy)});
    // A revoked confirmation uses a negative entry as well.
    if (!records.orders.empty()) ++records.refusals;
  } else if (meaning == Meaning::kRefuses) {
    token.refusal = Rejection{request.started.boot, steps_, records.refusals++, records.instance};
  }
  // A copy: on_complete() may start requests, which moves the records.
  const RequestRecord ended = request;
  service->on_complete(ended.id, compose(ended, token.user, now));
  if (meaning == Meaning::kRefuses && records.step.sent_again) {
    token.refusal = refusal_before;
    --records.refusals;
  }
  end_step();
}

// A check of a doubted rejection ended.
void Simulation::note_check(TokenRecord& token, Meaning meaning) {
  const BootTime now = clock.now().boot;
  Records::OfUpstream& of_upstream = records.upstreams[token.upstream];
  if (meaning == Meaning::kRefuses) {
    if (now - of_upstream.last_agreement >= claims::RejectionCheck::kBelieved)
      of_upstream.agreements = 0;
    ++of_upstream.agreements;
    of_upstream.last_agreement = now;
  } else if (meaning == Meaning::kConfirms) {
    of_upstream.agreements = 0;
    token.disputed_until = now + scenario.policy.negative_ttl;
  }
}

// ---- daemon -------------------------------------------------------------------------------------

void Simulation::stop() {
  records.stopping = true;
  service->stop();
}

void Simulation::restart(bool killed) {
  records.step.restarted = true;
  for (QueryNumber id = 0; id < records.queries.size(); ++id) {
    QueryRecord& query = records.queries[id];
    if (query.answered || query.disconnected) continue;
    query.disconnected = true;
    records.close(id);
  }
  for (TokenRecord& token : records.tokens) {
    token.in_flight = 0;
    token.queries = 0;
    token.published = {};
  }
  audit.lose();
  if (killed) {
    revocation_log.lose();
  } else {
    revocation_log.commit();
    revocation_log.lose();
  }
  revocation_log.start();
  for (ActionRecord& order : records.orders) {
    order.in_effect &= order.durable;
    order.withdrawn &= order.withdrawal_durable;
  }
  if (service) coverage.service_gone(service->counters());
  service.reset();
  cache.reopen();
  records.in_flight = 0;
  records.upstreams = {};
  for (Records::OfUid& uid : records.uids) uid.asked = uid.of_known = uid.reports = 0;
  forget_reports(0);
  records.stale = 0;
  records.begun = clock.now().boot;
  records.first_step = steps_;
  ++records.instance;
  records.asked = records.started = records.completed = records.refusals = 0;
  records.verdicts = {};
  records.stopping = false;
  records.complete = true;
  if (dice.percent(20)) {
    scenario.policy.ttl.max_ttl = dice.pick(std::array<Duration, 3>{2s, 30s, 300s});
  }
  for (TokenRecord& token : records.tokens) {
    token.failing = {};
    token.disputed_until = {};
  }
  for (ConnectionPool& pool : upstream.pools) pool.drop();
  for (UpstreamHealth& of_one : upstream.health) {
    of_one.reset(scenario.policy.breaker, scenario.policy.max_in_flight);
  }
  service = std::make_unique<claims::ClaimsService>(
      scenario.policy, claims::Dependencies{clock, random, keyer, cache, upstream, sink, observer,
                                            publisher, fingerprinter, revocation_log, audit});
  std::vector<claims::Rule> rules;
  for (const auto& [key, rule] : revocation_log.rules()) rules.push_back(rule);
  std::vector<claims::Withdrawal> withdrawals;
  for (const auto& [action, withdrawal] : revocation_log.withdrawals())
    withdrawals.push_back(withdrawal);
  service->restore(rules, withdrawals);
}

}  // namespace claimsd::sim
