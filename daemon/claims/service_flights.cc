// Requests to the Auth APIs: when they start, and how their waiters are answered. Part of
// ClaimsService (service.h).
#include <algorithm>

#include "daemon/claims/service.h"

namespace claimsd::claims {

using proto::Reason;
using proto::Source;

void ClaimsService::enqueue(const TokenKey& key, const Query& query, const Waiter& waiter,
                            const Now& now, const JwtTimes& times) {
  if (stopping_) return deliver(query, waiter, Answer{.reason = Reason::kShuttingDown});
  Waiting waiting{.waiter = waiter,
                  .asked_at = now.boot,
                  .deadline = deadline_after(query.timeout, now),
                  .uid = query.uid,
                  .key = key,
                  .upstream = query.upstream,
                  .max_age = query.max_age,
                  .origin = KeptOrigin(loggable_origin(query))};
  Flight* flight = flights_.find(key);
  const bool known = recently_valid_.holds(key);
  const bool successor = flight != nullptr && comes_too_late(*flight, query, now);
  const bool makes_request = flight == nullptr || (successor && flight->successors.empty());
  std::optional<Answer> answer;
  if (flight == nullptr) answer = back_off(query.upstream, key, now);
  if (!answer) answer = turn_down(query, flight, makes_request, known, now);
  if (answer) {
    stale_or(waiting, *answer, {.token = query.token});
    return;
  }
  if (flight == nullptr) {
    flight = &flights_.add(key, query.upstream, Secret(query.token), times, query.uid, known);
    flight->trace_id = waiting.origin.trace_id;
  } else {
    ++counters_.joined_flights;
  }
  flight->wants_lease = flight->wants_lease || query.wants_lease;
  flights_.wait(*flight, successor, std::move(waiting));
  start_pending(query.upstream, now);
}

// A request that started too long ago, or before a purge, does not satisfy this query. Such queries
// share the next flight.
bool ClaimsService::comes_too_late(const Flight& flight, const Query& query, const Now& now) {
  if (!flight.started) return false;
  if (flight.closed || query.max_age == Duration(0)) return true;
  return query.max_age && now.boot - flight.started->boot > *query.max_age;
}

template <class Change>
void ClaimsService::change_breaker(UpstreamId upstream, Change&& change) {
  CircuitBreaker& breaker = upstreams_[upstream].breaker;
  const BreakerState before = breaker.state();
  change(breaker);
  if (breaker.state() != before) deps_.observer.breaker_changed(upstream, breaker.state());
}

// `now` may be slightly in the past; answers then count as older by that much.
void ClaimsService::start_pending(UpstreamId upstream, const Now& now) {
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

void ClaimsService::send(Flight& flight, const Now& now) {
  flight.started = now;
  flight.closed = false;
  flight.url = upstreams_[flight.upstream].urls.pick(now.boot);
  ++flight.tries;
  ++counters_.upstream_requests;
  deps_.upstream.start(flight.id, flight.upstream, flight.url, flight.token);
}

void ClaimsService::on_complete(FlightId id, const FetchOutcome& outcome) {
  Flight* const in_flight = flights_.find(id);
  if (in_flight == nullptr) return;
  const Now now = deps_.clock.now();
  const Judgement judgement = judge(outcome, policy_.upstreams.at(in_flight->upstream), json_);
  deps_.observer.request_completed({.upstream = in_flight->upstream,
                                    .reason = judgement.reason,
                                    .status = outcome.status,
                                    .detail = judgement.detail,
                                    .took = outcome.took,
                                    .trace_id = in_flight->trace_id});
  if (try_next_url(*in_flight, judgement, now)) return;
  Flight flight = flights_.remove(id);
  note_health(flight, judgement, now);
  const Answer answer = settle(flight, judgement, outcome, now);
  // Add the successor before answering: a sink that queries the same token again must find this
  // flight.
  Answer no_successor{.reason = Reason::kShuttingDown};
  bool has_successor = !flight.successors.empty() && !stopping_;
  if (has_successor && token_breaker_.backoff_remaining(flight.key, now.boot)) {
    no_successor = *back_off(flight.upstream, flight.key, now);
    has_successor = false;
  }
  if (has_successor) {
    Flight& next = flights_.add(flight.key, flight.upstream, flight.token.clone(), flight.times,
                                flight.uid, false);
    next.waiters.swap(flight.successors);
    next.wants_lease = flight.wants_lease;
    next.trace_id = flight.trace_id;
  }
  // If there is a successor, its confirmation will replace this one soon, so publish no lease yet.
  const Completion completion{.token = flight.token.view(),
                              .status = outcome.status,
                              .took = outcome.took,
                              .wants_lease = flight.wants_lease && !has_successor};
  const std::optional<Waiter> asker = answer_all(flight, flight.waiters, answer, completion);
  if (!asker) record_unasked(flight, answer, completion);
  // An answer that must be recorded publishes its lease after its record is durable.
  if (completion.wants_lease && answer.reason == Reason::kOk && !policy_.audit.covers(answer))
    publish_lease({.uid = flight.uid,
                   .upstream = flight.upstream,
                   .token = completion.token,
                   .key = &flight.key},
                  asker.value_or(Waiter{}));
  answer_all(flight, flight.successors, no_successor, {.token = flight.token.view()});
  shed_pending(flight.upstream);
  start_pending(flight.upstream, now);
}

// Failover: the request is repeated at the next URL, within the retry budget.
bool ClaimsService::try_next_url(Flight& flight, const Judgement& judgement, const Now& now) {
  UpstreamState& state = upstreams_[flight.upstream];
  if (!judgement.down) {
    state.urls.worked(flight.url);
    return false;
  }
  if (said_before(flight, judgement, now)) return false;
  state.urls.failed(flight.url, now.boot);
  if (stopping_ || flight.tries >= state.urls.size() || !state.urls.has_other(flight.url) ||
      state.breaker.state() == CircuitBreaker::State::kOpen ||
      judgement.retry_after.wait > Duration(0))
    return false;
  if ((!flight.refresh && !anybody_waits(flight)) || !state.breaker.take_retry()) return false;
  ++counters_.retries;
  send(flight, now);
  return true;
}

// Failures that may be caused by the token count against the Auth API only once.
bool ClaimsService::said_before(const Flight& flight, const Judgement& judgement,
                                const Now& now) const {
  return judgement.may_be_token && token_breaker_.holds(flight.key, now.boot);
}

void ClaimsService::note_health(const Flight& flight, const Judgement& judgement, const Now& now) {
  change_breaker(flight.upstream, [&](CircuitBreaker& breaker) {
    if (!judgement.down) return breaker.succeeded();
    if (said_before(flight, judgement, now)) {
      return breaker.failed_again(now.boot, judgement.retry_after, TokenKeyHash()(flight.key),
                                  deps_.random);
    }
    breaker.failed(now.boot, judgement.retry_after, deps_.random);
  });
  if (!judgement.down) {
    token_breaker_.worked(flight.key);
  } else if (judgement.may_be_token) {
    token_breaker_.failed(flight.key, now.boot, judgement.retry_after.wait, deps_.random);
  }
  const bool settled = judgement.reason == Reason::kOk || judgement.reason == Reason::kRejected;
  if (settled) {
    refresh_failed_.erase(flight.key);
  } else if (flight.refresh) {
    refresh_failed_.add(flight.key);
  }
}

bool ClaimsService::is_invalidated(const Flight& flight, std::string_view claims,
                                   const Now& now) const {
  return guard_.invalidates_token(flight.token.view(), now) ||
         guard_.invalidates_claims(flight.upstream, claims, flight.times.issued_at, now);
}

// Check revocation again before each waiter: a sink may revoke the token while handling an answer.
std::optional<Waiter> ClaimsService::answer_all(const Flight& flight,
                                                const std::vector<WaiterId>& waiters, Answer answer,
                                                const Completion& completion) {
  std::optional<Waiter> answered;
  std::uint64_t decided_under = guard_.rules().generation();
  for (const WaiterId id : waiters) {
    const std::optional<Waiting> waiting = flights_.take(id);
    if (!waiting) continue;
    if (answer.reason == Reason::kOk && decided_under != guard_.rules().generation()) {
      decided_under = guard_.rules().generation();
      if (is_invalidated(flight, answer.claims, deps_.clock.now()))
        answer = Answer{.reason = Reason::kRevoked, .source = Source::kUpstream};
    }
    answered = waiting->waiter;
    hand_over(*waiting, answer, completion);
  }
  return answered;
}

bool ClaimsService::anybody_waits(const Flight& flight) {
  return std::any_of(flight.waiters.begin(), flight.waiters.end(),
                     [this](WaiterId id) { return flights_.is_waiting(id); });
}

void ClaimsService::drop_pending(UpstreamId upstream, const Answer& answer) {
  while (Flight* const pending = flights_.start_next(upstream, deps_.clock.now())) {
    const Flight flight = flights_.remove(pending->id);
    if (answer.reason == Reason::kBackoff) ++counters_.backoffs;
    answer_all(flight, flight.waiters, answer, {.token = flight.token.view()});
  }
}

}  // namespace claimsd::claims
