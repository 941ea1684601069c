// Requests to the Auth APIs: when they start, and how their waiters are answered. Part of
// ClaimsService (service.h).
#include <algorithm>

#include "daemon/claims/service.h"

namespace claimsd::daemon {

using proto::Reason;
using proto::Source;

void ClaimsService::enqueue(const TokenKey& key, const Question& question, const Waiter& waiter,
                            const Now& now, const JwtTimes& times) {
  if (stopping_) return deliver(question, waiter, Answer{.reason = Reason::kShuttingDown});
  Waiting waiting{.waiter = waiter,
                  .asked_at = now.boot,
                  .deadline = deadline_after(question.timeout, now),
                  .uid = question.uid,
                  .key = key,
                  .upstream = question.upstream,
                  .max_age = question.max_age,
                  .origin = KeptOrigin(loggable_origin(question))};
  Flight* flight = flights_.find(key);
  const bool known = known_.holds(key);
  const bool successor = flight != nullptr && comes_too_late(*flight, question, now);
  const bool makes_request = flight == nullptr || (successor && flight->successors.empty());
  std::optional<Answer> answer;
  if (flight == nullptr) answer = leave_alone(question.upstream, key, now);
  if (!answer) answer = turn_down(question, flight, makes_request, known, now);
  if (answer) {
    stale_or(waiting, *answer, {.token = question.token});
    return;
  }
  if (flight == nullptr) {
    flight =
        &flights_.add(key, question.upstream, Secret(question.token), times, question.uid, known);
    flight->trace_id = waiting.origin.trace_id;
  } else {
    ++counters_.joined_flights;
  }
  flight->wants_lease = flight->wants_lease || question.wants_lease;
  flights_.wait(*flight, successor, std::move(waiting));
  start_pending(question.upstream, now);
}

// A request that started too long ago, or before a purge, does not satisfy this query. Such queries
// share the next flight.
bool ClaimsService::comes_too_late(const Flight& flight, const Question& question, const Now& now) {
  if (!flight.started) return false;
  if (flight.closed || question.max_age == Duration(0)) return true;
  return question.max_age && now.boot - flight.started->boot > *question.max_age;
}

template <class Change>
void ClaimsService::change_gate(UpstreamId upstream, Change&& change) {
  UpstreamGate& gate = lanes_[upstream].gate;
  const GateState before = gate.state();
  change(gate);
  if (gate.state() != before) world_.observer.gate_changed(upstream, gate.state());
}

// `now` may be slightly in the past; answers then count as older by that much.
void ClaimsService::start_pending(UpstreamId upstream, const Now& now) {
  Lane& lane = lanes_[upstream];
  while (!flights_.queue(upstream).empty()) {
    if (!lane.gate.admits(now.boot, static_cast<std::uint32_t>(flights_.flying(upstream)))) return;
    Flight* const flight = flights_.start_next(upstream, now);
    if (!flight->refresh && !anybody_waits(*flight)) {
      flights_.remove(flight->id);
      continue;
    }
    change_gate(upstream, [&](UpstreamGate& gate) { gate.started(now.boot); });
    send(*flight, now);
  }
}

void ClaimsService::send(Flight& flight, const Now& now) {
  flight.started = now;
  flight.closed = false;
  flight.url = lanes_[flight.upstream].urls.pick(now.boot);
  ++flight.tries;
  ++counters_.upstream_requests;
  world_.upstream.start(flight.id, flight.upstream, flight.url, flight.token);
}

void ClaimsService::landed(FlightId id, const FetchOutcome& outcome) {
  Flight* const flying = flights_.find(id);
  if (flying == nullptr) return;
  const Now now = world_.clock.now();
  const Judgement judgement = judge(outcome, policy_.upstreams.at(flying->upstream), json_);
  world_.observer.flight_landed({.upstream = flying->upstream,
                                 .reason = judgement.reason,
                                 .status = outcome.status,
                                 .detail = judgement.detail,
                                 .took = outcome.took,
                                 .trace_id = flying->trace_id});
  if (try_next_url(*flying, judgement, now)) return;
  Flight flight = flights_.remove(id);
  note_health(flight, judgement, now);
  const Answer answer = settle(flight, judgement, outcome, now);
  // Add the successor before answering: a sink that queries the same token again must find this
  // flight.
  Answer no_successor{.reason = Reason::kShuttingDown};
  bool has_successor = !flight.successors.empty() && !stopping_;
  if (has_successor && failing_.left_alone_for(flight.key, now.boot)) {
    no_successor = *leave_alone(flight.upstream, flight.key, now);
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
  const Landing landing{.token = flight.token.view(),
                        .status = outcome.status,
                        .took = outcome.took,
                        .wants_lease = flight.wants_lease && !has_successor};
  const std::optional<Waiter> asker = answer_all(flight, flight.waiters, answer, landing);
  if (!asker) record_unasked(flight, answer, landing);
  // An answer that must be recorded publishes its lease after its record is durable.
  if (landing.wants_lease && answer.reason == Reason::kOk && !policy_.audit.covers(answer))
    show_lease({.uid = flight.uid,
                .upstream = flight.upstream,
                .token = landing.token,
                .key = &flight.key},
               asker.value_or(Waiter{}));
  answer_all(flight, flight.successors, no_successor, {.token = flight.token.view()});
  shed_pending(flight.upstream);
  start_pending(flight.upstream, now);
}

// Failover: the request is repeated at the next URL, within the retry budget.
bool ClaimsService::try_next_url(Flight& flight, const Judgement& judgement, const Now& now) {
  Lane& lane = lanes_[flight.upstream];
  if (!judgement.down) {
    lane.urls.worked(flight.url);
    return false;
  }
  if (said_before(flight, judgement, now)) return false;
  lane.urls.failed(flight.url, now.boot);
  if (stopping_ || flight.tries >= lane.urls.size() || !lane.urls.has_other(flight.url) ||
      lane.gate.state() == UpstreamGate::State::kOpen || judgement.retry_after.wait > Duration(0))
    return false;
  if ((!flight.refresh && !anybody_waits(flight)) || !lane.gate.take_retry()) return false;
  ++counters_.retries;
  send(flight, now);
  return true;
}

// Failures that may be caused by the token count against the Auth API only once.
bool ClaimsService::said_before(const Flight& flight, const Judgement& judgement,
                                const Now& now) const {
  return judgement.may_be_token && failing_.holds(flight.key, now.boot);
}

void ClaimsService::note_health(const Flight& flight, const Judgement& judgement, const Now& now) {
  change_gate(flight.upstream, [&](UpstreamGate& gate) {
    if (!judgement.down) return gate.succeeded();
    if (said_before(flight, judgement, now)) {
      return gate.failed_again(now.boot, judgement.retry_after, TokenKeyHash()(flight.key),
                               world_.random);
    }
    gate.failed(now.boot, judgement.retry_after, world_.random);
  });
  if (!judgement.down) {
    failing_.worked(flight.key);
  } else if (judgement.may_be_token) {
    failing_.failed(flight.key, now.boot, judgement.retry_after.wait, world_.random);
  }
  const bool settled = judgement.reason == Reason::kOk || judgement.reason == Reason::kRefused;
  if (settled) {
    refresh_failed_.erase(flight.key);
  } else if (flight.refresh) {
    refresh_failed_.add(flight.key);
  }
}

bool ClaimsService::is_denied(const Flight& flight, std::string_view claims, const Now& now) const {
  return guard_.denies_token(flight.token.view(), now) ||
         guard_.denies_claims(flight.upstream, claims, flight.times.issued_at, now);
}

// Check revocation again before each waiter: a sink may revoke the token while handling an answer.
std::optional<Waiter> ClaimsService::answer_all(const Flight& flight,
                                                const std::vector<WaiterId>& waiters, Answer answer,
                                                const Landing& landing) {
  std::optional<Waiter> answered;
  std::uint64_t decided_under = guard_.rules().generation();
  for (const WaiterId id : waiters) {
    const std::optional<Waiting> waiting = flights_.take(id);
    if (!waiting) continue;
    if (answer.reason == Reason::kOk && decided_under != guard_.rules().generation()) {
      decided_under = guard_.rules().generation();
      if (is_denied(flight, answer.claims, world_.clock.now()))
        answer = Answer{.reason = Reason::kRevoked, .source = Source::kUpstream};
    }
    answered = waiting->waiter;
    hand_over(*waiting, answer, landing);
  }
  return answered;
}

bool ClaimsService::anybody_waits(const Flight& flight) {
  return std::any_of(flight.waiters.begin(), flight.waiters.end(),
                     [this](WaiterId id) { return flights_.is_waiting(id); });
}

void ClaimsService::drop_pending(UpstreamId upstream, const Answer& answer) {
  while (Flight* const pending = flights_.start_next(upstream, world_.clock.now())) {
    const Flight flight = flights_.remove(pending->id);
    if (answer.reason == Reason::kBackoff) ++counters_.backoffs;
    answer_all(flight, flight.waiters, answer, {.token = flight.token.view()});
  }
}

}  // namespace claimsd::daemon
