#include "daemon/claims/service/upstream_scheduler.h"

#include <algorithm>

#include "daemon/claims/parse/jwt_parser.h"

namespace claimsd::claims {

using proto::Reason;

namespace {

// Tokens whose refresh-ahead failed are queried again only after their TTL.
constexpr std::size_t kRefreshesRemembered = 4'096;

// Share of a queue that unknown tokens, or a single uid, may use.
std::size_t share_of(std::size_t places) {
  return places - places / 4;
}

// A request that started too long ago, or before a purge, does not satisfy this query. Such queries
// share the next flight.
bool comes_too_late(const Flight& flight, const Query& query, const Now& now) {
  if (!flight.started) return false;
  if (flight.closed || query.max_age == Duration(0)) return true;
  return query.max_age && now.boot - flight.started->boot > *query.max_age;
}

Answer unavailable(Reason reason, Duration retry_after = {}) {
  Answer answer{.reason = reason};
  answer.retry_after = retry_after;
  return answer;
}

}  // namespace

UpstreamScheduler::UpstreamScheduler(Dependencies deps)
    : deps_(deps),
      rate_limiter_(deps_.policy.rate_limit),
      token_breaker_(deps_.policy.breaker),
      recently_valid_(deps_.policy.max_entries),
      refresh_failed_(kRefreshesRemembered) {
  for (const UpstreamPolicy& upstream : deps_.policy.upstreams)
    upstreams_.push_back({CircuitBreaker(deps_.policy.breaker), UrlFailover(upstream.urls), {}});
}

std::optional<Answer> UpstreamScheduler::enqueue(const Query& query, const JwtTimes& times,
                                                 Waiting& waiting, const Now& now) {
  Flight* flight = flights_.find(waiting.key);
  const bool known = recently_valid_.holds(waiting.key);
  const bool successor = flight != nullptr && comes_too_late(*flight, query, now);
  const bool makes_request = flight == nullptr || (successor && flight->successors.empty());
  std::optional<Answer> answer;
  if (flight == nullptr) answer = back_off(query.upstream, waiting.key, now);
  if (!answer) answer = turn_down(query, flight, makes_request, known, now);
  if (answer) return answer;
  if (flight == nullptr) {
    flight =
        &flights_.add(waiting.key, query.upstream, Secret(query.token), times, query.uid, known);
    flight->trace_id = waiting.origin.trace_id;
  } else {
    ++deps_.counters.joined_flights;
  }
  flight->wants_lease = flight->wants_lease || query.wants_lease;
  flights_.wait(*flight, successor, std::move(waiting));
  start_pending(query.upstream, now);
  return std::nullopt;
}

Duration UpstreamScheduler::retry_now(UpstreamId upstream, const Now& now) {
  const Duration waited = backoff(upstream, now.boot);
  upstreams_[upstream].breaker.retry_now(now.boot);
  token_breaker_.clear();
  return waited;
}

// The answer while the circuit breaker of the Auth API or of the token is open; otherwise nullopt.
std::optional<Answer> UpstreamScheduler::back_off(UpstreamId upstream, const TokenKey& key,
                                                  const Now& now) {
  if (const auto wait = upstreams_[upstream].breaker.backoff_remaining(now.boot)) {
    ++deps_.counters.backoffs;
    return unavailable(Reason::kBackoff, *wait);
  }
  if (const auto wait = token_breaker_.backoff_remaining(key, now.boot)) {
    ++deps_.counters.token_backoffs;
    return unavailable(Reason::kBackoff, *wait);
  }
  return std::nullopt;
}

// The answer if the query may not wait for a request; nullopt: it may. `known`: the token was valid
// before.
std::optional<Answer> UpstreamScheduler::turn_down(const Query& query, const Flight* flight,
                                                   bool makes_request, bool known, const Now& now) {
  if (const auto reason = reason_if_full(query, flight, known, now)) {
    ++deps_.counters.overloads;
    return unavailable(*reason);
  }
  if (!makes_request) return std::nullopt;
  const auto exceeded = rate_limiter_.take(query.uid, query.origin.client_address, known, now.boot);
  if (!exceeded) return std::nullopt;
  ++deps_.counters.rate_limited;
  return unavailable(exceeded->reason, exceeded->wait);
}

// The limit that the query exceeds, if any.
std::optional<Reason> UpstreamScheduler::reason_if_full(const Query& query, const Flight* flight,
                                                        bool known, const Now& now) {
  const Policy& policy = deps_.policy;
  if (flights_.waiting() >= policy.max_waiters) return Reason::kTooManyWaiting;
  if (flights_.waiting_of(query.uid) >= policy.max_waiters_per_uid)
    return Reason::kTooManyWaitingOfUid;
  if (flight != nullptr) {
    // The lists may still contain waiters that have left, so they need their own limit.
    if (flight->waiters.size() + flight->successors.size() >= policy.max_waiters)
      return Reason::kTooManyWaiting;
    return std::nullopt;
  }
  const auto in_flight = static_cast<std::uint32_t>(flights_.in_flight(query.upstream));
  if (upstreams_[query.upstream].breaker.admits(now.boot, in_flight)) return std::nullopt;
  const FairQueue& queue = flights_.queue(query.upstream);
  const std::size_t share = share_of(policy.max_pending);
  if (queue.size() >= policy.max_pending || queue.size_of(query.uid) >= share ||
      (queue.size() >= share && !known))
    return Reason::kOverloaded;
  return std::nullopt;
}

void UpstreamScheduler::refresh(const TokenKey& key, const Query& query, const Now& now) {
  const CircuitBreaker& breaker = upstreams_[query.upstream].breaker;
  if (stopping_ || flights_.find(key) != nullptr || refresh_failed_.holds(key) ||
      token_breaker_.backoff_remaining(key, now.boot))
    return;
  if (breaker.state() != CircuitBreaker::State::kClosed ||
      flights_.queue(query.upstream).size() > 0 ||
      flights_.in_flight(query.upstream) >= (breaker.window() + 1) / 2)
    return;
  if (rate_limiter_.take(query.uid, query.origin.client_address, true, now.boot)) return;
  ++deps_.counters.refreshes;
  Flight& flight = flights_.add(key, query.upstream, Secret(query.token),
                                read_jwt_times(query.token, deps_.json), query.uid, true);
  flight.refresh = true;
  flight.trace_id = loggable_origin(query).trace_id;
  flight.wants_lease = query.wants_lease;
  start_pending(query.upstream, now);
}

void UpstreamScheduler::start_pending(UpstreamId upstream, const Now& now) {
  UpstreamState& state = upstreams_[upstream];
  while (!flights_.queue(upstream).empty()) {
    if (!state.breaker.admits(now.boot, static_cast<std::uint32_t>(flights_.in_flight(upstream))))
      return;
    Flight* const flight = flights_.start_next(upstream, now);
    if (!flight->refresh && !anybody_waits(*flight)) {
      flights_.remove(flight->id);
      continue;
    }
    change_breaker(upstream, [&](CircuitBreaker& breaker) { breaker.started(now.boot); });
    send(*flight, now);
  }
}

// A probe, a retry and the check of a rejection must not fail for the sake of a kept connection.
void UpstreamScheduler::send(Flight& flight, const Now& now) {
  const bool is_probe = upstreams_[flight.upstream].breaker.state() == BreakerState::kHalfOpen;
  const bool is_fresh = is_probe || flight.tries > 0 || flight.doubt != Doubt::kNone;
  flight.started = now;
  flight.closed = false;
  flight.url = upstreams_[flight.upstream].urls.pick(now.boot);
  ++flight.tries;
  ++deps_.counters.upstream_requests;
  deps_.upstream.start(flight.id, flight.upstream, flight.url, flight.token,
                       is_fresh ? Connect::kFresh : Connect::kReuse);
}

std::optional<UpstreamScheduler::Completed> UpstreamScheduler::complete(FlightId id,
                                                                        const FetchOutcome& outcome,
                                                                        const Now& now,
                                                                        const Doubted& doubted) {
  Flight* const flight = flights_.find(id);
  if (flight == nullptr) return std::nullopt;
  const UpstreamPolicy& policy = deps_.policy.upstreams.at(flight->upstream);
  Judgement judgement = judge(outcome, policy, {flight->token.view(), flight->times}, deps_.json);
  deps_.observer.request_completed(
      {.upstream = flight->upstream,
       .reason = judgement.reason,
       .status = outcome.status,
       .detail = judgement.detail,
       .took = outcome.took,
       .trace_id = flight->trace_id,
       .document = judgement.reason == Reason::kOk ? &judgement.claims : nullptr,
       .server_certificate_end = outcome.server_certificate_end,
       .uncacheable = judgement.headers.forbids && policy.no_store_ttl == seconds(0)});
  if (check_rejection(*flight, judgement, outcome, now, doubted)) return std::nullopt;
  if (try_again(*flight, judgement, now)) return std::nullopt;
  Completed completed{flights_.remove(id), std::move(judgement)};
  note_health(completed.flight, completed.judgement, now);
  note_check(completed.flight, completed.judgement, now);
  completed.is_disputed =
      completed.judgement.reason == Reason::kOk &&
      (completed.flight.doubt != Doubt::kNone || disputed_.holds(completed.flight.key, now.boot));
  return completed;
}

// A rejection over an old connection, which may lead to an instance that was replaced. A token that
// was confirmed by one instance and rejected by another shortly before is doubted as well.
bool UpstreamScheduler::check_rejection(Flight& flight, const Judgement& judgement,
                                        const FetchOutcome& outcome, const Now& now,
                                        const Doubted& doubted) {
  UpstreamState& state = upstreams_[flight.upstream];
  if (judgement.reason != Reason::kRejected || !outcome.reused || stopping_ ||
      flight.doubt != Doubt::kNone)
    return false;
  const bool known = recently_valid_.holds(flight.key);
  if (!state.rejections.doubts(known, outcome.connection_age, now.boot)) return false;
  ++deps_.counters.rejection_checks;
  doubted(flight);
  flight.doubt = known ? Doubt::kOfKnown : Doubt::kOfUnknown;
  send(flight, now);
  return true;
}

void UpstreamScheduler::note_check(const Flight& flight, const Judgement& judgement,
                                   const Now& now) {
  if (flight.doubt == Doubt::kNone) return;
  UpstreamState& state = upstreams_[flight.upstream];
  if (judgement.reason == Reason::kRejected)
    return state.rejections.agreed(flight.doubt == Doubt::kOfKnown, now.boot);
  if (judgement.reason != Reason::kOk) return;
  ++deps_.counters.upstream_disagrees;
  state.rejections.disagreed();
  deps_.observer.instances_disagree(flight.upstream);
  disputed_.add(flight.key, now.boot + deps_.policy.negative_ttl, now.boot);
  deps_.upstream.drop_connections(flight.upstream, flight.url);
}

// The request is repeated within the retry budget: at the next URL, or over a new connection if the
// kept one may be the cause.
bool UpstreamScheduler::try_again(Flight& flight, const Judgement& judgement, const Now& now) {
  UpstreamState& state = upstreams_[flight.upstream];
  if (!judgement.down) {
    state.urls.worked(flight.url);
    return false;
  }
  if (said_before(flight, judgement, now)) return false;
  state.urls.failed(flight.url, now.boot);
  const bool is_elsewhere = flight.tries < state.urls.size() && state.urls.has_other(flight.url);
  const bool is_over_new = judgement.may_be_connection && flight.tries == 1;
  if (stopping_ || !(is_elsewhere || is_over_new) ||
      state.breaker.state() == CircuitBreaker::State::kOpen ||
      judgement.retry_after.wait > Duration(0))
    return false;
  if ((!flight.refresh && !anybody_waits(flight)) || !state.breaker.take_retry()) return false;
  ++deps_.counters.retries;
  send(flight, now);
  return true;
}

// Failures that may be caused by the token count against the Auth API only once.
bool UpstreamScheduler::said_before(const Flight& flight, const Judgement& judgement,
                                    const Now& now) const {
  return judgement.may_be_token && token_breaker_.holds(flight.key, now.boot);
}

// A failure over a kept connection is no evidence: the next request, over a new one, decides.
void UpstreamScheduler::note_health(const Flight& flight, const Judgement& judgement,
                                    const Now& now) {
  change_breaker(flight.upstream, [&](CircuitBreaker& breaker) {
    if (!judgement.down) return breaker.succeeded();
    if (judgement.may_be_connection) return;
    if (said_before(flight, judgement, now)) {
      return breaker.failed_again(now.boot, judgement.retry_after, TokenKeyHash()(flight.key),
                                  deps_.random);
    }
    breaker.failed(now.boot, judgement.retry_after, deps_.random);
  });
  const bool settled = judgement.reason == Reason::kOk ||
                       proto::verdict_of(judgement.reason) == proto::Verdict::kInvalid;
  if (settled) {
    token_breaker_.worked(flight.key);
  } else if (judgement.may_be_token || !judgement.down) {
    token_breaker_.failed(flight.key, now.boot, judgement.retry_after.wait, deps_.random);
  }
  if (settled) {
    refresh_failed_.erase(flight.key);
  } else if (flight.refresh) {
    refresh_failed_.add(flight.key);
  }
}

Answer UpstreamScheduler::add_successor(Flight& flight, const Now& now) {
  if (flight.successors.empty() || stopping_) return unavailable(Reason::kShuttingDown);
  if (token_breaker_.backoff_remaining(flight.key, now.boot))
    return *back_off(flight.upstream, flight.key, now);
  Flight& next = flights_.add(flight.key, flight.upstream, flight.token.clone(), flight.times,
                              flight.uid, false);
  next.waiters.swap(flight.successors);
  next.wants_lease = std::exchange(flight.wants_lease, false);
  next.trace_id = flight.trace_id;
  return {};
}

// When the circuit breaker has just opened, pending queries fail immediately instead of waiting.
std::optional<Answer> UpstreamScheduler::sheds_pending(UpstreamId upstream, const Now& now) {
  if (flights_.queue(upstream).empty()) return std::nullopt;
  const auto wait = upstreams_[upstream].breaker.backoff_remaining(now.boot);
  if (!wait) return std::nullopt;
  return unavailable(Reason::kBackoff, *wait);
}

std::optional<Flight> UpstreamScheduler::drop_pending(UpstreamId upstream, const Now& now) {
  Flight* const pending = flights_.start_next(upstream, now);
  if (pending == nullptr) return std::nullopt;
  return flights_.remove(pending->id);
}

std::string_view UpstreamScheduler::token_of(const TokenKey& key) {
  const Flight* const flight = flights_.find(key);
  return flight != nullptr ? flight->token.view() : std::string_view();
}

bool UpstreamScheduler::anybody_waits(const Flight& flight) const {
  return std::any_of(flight.waiters.begin(), flight.waiters.end(),
                     [this](WaiterId id) { return flights_.is_waiting(id); });
}

template <class Change>
void UpstreamScheduler::change_breaker(UpstreamId upstream, Change&& change) {
  CircuitBreaker& breaker = upstreams_[upstream].breaker;
  const BreakerState before = breaker.state();
  change(breaker);
  if (breaker.state() != before) deps_.observer.breaker_changed(upstream, breaker.state());
}

void UpstreamScheduler::policy_changed(const Policy& before) {
  const Policy& policy = deps_.policy;
  if (policy.rate_limit != before.rate_limit) rate_limiter_ = RateLimiter(policy.rate_limit);
  for (UpstreamState& state : upstreams_) state.breaker.set_policy(policy.breaker);
  token_breaker_.set_policy(policy.breaker);
  // The new limits may allow more requests.
  for (std::size_t upstream = 0; upstream < upstreams_.size(); ++upstream)
    start_pending(static_cast<UpstreamId>(upstream), deps_.clock.now());
}

}  // namespace claimsd::claims
