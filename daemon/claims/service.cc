#include "daemon/claims/service.h"

#include <algorithm>
#include <utility>

#include "daemon/claims/parse/jwt_parser.h"
#include "proto/messages.h"

namespace claimsd::claims {

using proto::Reason;
using proto::Source;
using proto::Verdict;

namespace {

Policy complete(Policy policy) {
  policy.breaker.max_in_flight = static_cast<std::uint32_t>(policy.max_in_flight);
  return policy;
}

// What the lease of an answer to this query is about.
About lease_for(const Query& query, const TokenKey& key) {
  return {.uid = query.uid,
          .upstream = query.upstream,
          .token = query.token,
          .key = &key,
          .wants_lease = query.wants_lease};
}

}  // namespace

ClaimsService::ClaimsService(Policy policy, Dependencies deps)
    : policy_(complete(std::move(policy))),
      deps_(deps),
      guard_(policy_.revocations, deps_.fingerprinter, deps_.host_fingerprinter),
      cache_({.policy = policy_,
              .clock = deps_.clock,
              .random = deps_.random,
              .cache = deps_.cache,
              .publisher = deps_.publisher,
              .guard = guard_,
              .counters = counters_}),
      upstreams_({.policy = policy_,
                  .clock = deps_.clock,
                  .random = deps_.random,
                  .upstream = deps_.upstream,
                  .observer = deps_.observer,
                  .json = json_,
                  .counters = counters_}),
      audit_({.policy = policy_,
              .clock = deps_.clock,
              .sink = deps_.sink,
              .audit = deps_.audit,
              .guard = guard_,
              .leases = cache_.leases(),
              .counters = counters_,
              .lookups = lookups_}),
      settlement_({.policy = policy_,
                   .random = deps_.random,
                   .guard = guard_,
                   .cache = cache_,
                   .upstreams = upstreams_,
                   .audit = audit_,
                   .counters = counters_}),
      reports_({.policy = policy_,
                .clock = deps_.clock,
                .keyer = deps_.keyer,
                .cache = cache_,
                .audit = audit_,
                .counters = counters_}),
      revocations_({.policy = policy_,
                    .clock = deps_.clock,
                    .random = deps_.random,
                    .keyer = deps_.keyer,
                    .fingerprinter = deps_.fingerprinter,
                    .publisher = deps_.publisher,
                    .revocation_log = deps_.revocation_log,
                    .guard = guard_,
                    .cache = cache_,
                    .upstreams = upstreams_,
                    .counters = counters_}) {
  deps_.cache.each([this](const TokenKey& key, BootTime fresh_until) {
    cache_.restore(key, fresh_until);
    upstreams_.remember_valid(key);
  });
  cache_.evict_for(0, deps_.clock.now());
}

// The path of a query, hot path first. Each step answers it or leaves it to the next.
bool ClaimsService::query(const Query& query, const Waiter& waiter) {
  ++counters_.queries;
  if (query.token.size() > policy_.upstreams[query.upstream].max_token) {
    ++counters_.local_rejections;
    send(query, waiter, Answer{.reason = Reason::kTooLong});
    return true;
  }
  if (!guard_.is_complete()) {
    send(query, waiter, Answer{.reason = Reason::kNotCurrent});
    return true;
  }
  const Now now = deps_.clock.now();
  // Revoking a token evicts it from the in-memory cache, so that lookup may come first. Revocation
  // is checked before any other lookup that can return valid.
  if (const auto hit = cache_.find_in_memory(query, now)) {
    answer_hit(*hit, query, waiter, now);
    return true;
  }
  if (guard_.invalidates_token(query.token, now)) {
    send(query, waiter, Answer{.reason = Reason::kRevoked});
    return true;
  }
  const TokenKey key = deps_.keyer.key_of(query.upstream, query.token);
  if (const auto hit = cache_.find(key, query, now)) {
    if (guard_.invalidates_claims(query.upstream, hit->entry.claims, hit->entry.issued_at, now)) {
      send(query, waiter, Answer{.reason = Reason::kRevoked});
      return true;
    }
    cache_.used(*hit, query, now);
    answer_hit(*hit, query, waiter, now);
    return true;
  }
  upstreams_.prefetch(key);
  JwtTimes times;
  if (const auto rejection = reject_locally(key, query, now, times)) {
    send(query, waiter, *rejection);
    return true;
  }
  return wait_for_flight(key, query, waiter, times, now);
}

void ClaimsService::answer_hit(const VerdictCache::Hit& hit, const Query& query,
                               const Waiter& waiter, const Now& now) {
  ++counters_.cache_hits;
  const Entry& entry = hit.entry;
  const std::uint64_t generation = guard_.rules().generation();
  send(query, waiter,
       Answer{.reason = Reason::kOk,
              .source = Source::kCache,
              .flags = entry.flags,
              .age = now.boot - entry.confirmed_at,
              .ttl_remaining = ttl_remaining(entry, now, policy_.ttl),
              .retry_after = {},
              .claims = entry.claims},
       hit.key);
  // The sink may have revoked the token while it handled the answer.
  if (hit.freshness == Freshness::kRefreshDue && guard_.rules().generation() == generation &&
      cache_.holds(hit.key))
    upstreams_.refresh(hit.key, query, now);
  // An answer that must be recorded renews its lease after its record is durable.
  if (hit.renews_lease && !policy_.audit.hits)
    audit_.publish_lease(lease_for(query, hit.key), waiter);
}

// Rejects without a request to the Auth API. The token's syntax is checked only here, because every
// cached token has already passed.
std::optional<Answer> ClaimsService::reject_locally(const TokenKey& key, const Query& query,
                                                    const Now& now, JwtTimes& times) {
  if (const Reason reason = check_token(query.token); reason != Reason::kOk) {
    ++counters_.local_rejections;
    return Answer{.reason = reason};
  }
  times = read_jwt_times(query.token, json_);
  if (has_expired(times.rejected_after(), now, policy_.ttl)) {
    ++counters_.local_rejections;
    return Answer{.reason = Reason::kExpired};
  }
  const auto rejection = cache_.negative().find(key, now.boot);
  if (!rejection) return std::nullopt;
  if (query.max_age && now.boot - rejection->rejected_at > *query.max_age) return std::nullopt;
  if (query.max_age == Duration(0)) return std::nullopt;
  ++counters_.negative_hits;
  return Answer{.reason = rejection->reason,
                .source = Source::kCache,
                .flags = 0,
                .age = now.boot - rejection->rejected_at,
                .ttl_remaining = rejection->until - now.boot,
                .retry_after = {},
                .claims = {}};
}

bool ClaimsService::wait_for_flight(const TokenKey& key, const Query& query, const Waiter& waiter,
                                    const JwtTimes& times, const Now& now) {
  if (upstreams_.stopping()) {
    send(query, waiter, Answer{.reason = Reason::kShuttingDown});
    return true;
  }
  Waiting waiting{.waiter = waiter,
                  .asked_at = now.boot,
                  .deadline = policy_.deadline_after(query.timeout, now.boot),
                  .uid = query.uid,
                  .key = key,
                  .upstream = query.upstream,
                  .max_age = query.max_age,
                  .wants_document = query.wants_document,
                  .origin = KeptOrigin(loggable_origin(query))};
  const std::optional<Answer> unavailable = upstreams_.enqueue(query, times, waiting, now);
  if (!unavailable) return true;
  Completion completion{.token = query.token};
  const Answer answer = or_stale(waiting, *unavailable, completion);
  send(waiting, answer, completion);
  return !proto::exceeds_rate_limit(answer.reason);
}

// A stale answer instead of "unavailable", if one is allowed.
Answer ClaimsService::or_stale(const Waiting& waiting, const Answer& answer,
                               Completion& completion) {
  if (proto::verdict_of(answer.reason) != Verdict::kUnavailable ||
      answer.reason == Reason::kShuttingDown)
    return answer;
  const Now now = deps_.clock.now();
  const std::optional<Entry> entry =
      cache_.find_stale(waiting.key, waiting.upstream, waiting.max_age, now);
  if (!entry) return answer;
  if (guard_.invalidates_claims(waiting.upstream, entry->claims, entry->issued_at, now))
    return Answer{.reason = Reason::kRevoked};
  completion.stale_until = std::min(entry->fresh_until, entry->confirmed_at + policy_.ttl.max_ttl) +
                           policy_.ttl.stale_if_error;
  return Answer{.reason = Reason::kOk,
                .source = Source::kStale,
                .flags = entry->flags,
                .age = now.boot - entry->confirmed_at,
                .ttl_remaining = {},
                .retry_after = {},
                .claims = entry->claims};
}

// The path of a response: to the cache, then to its waiters, then the next requests start.
void ClaimsService::on_complete(FlightId id, const FetchOutcome& outcome) {
  const Now now = deps_.clock.now();
  std::optional<UpstreamScheduler::Completed> completed = upstreams_.complete(
      id, outcome, now, [this](const Flight& flight) { settlement_.doubt(flight); });
  if (!completed) return;
  Flight& flight = completed->flight;
  const Answer answer = settlement_.settle(*completed, now);
  // Add the successor before answering: a sink that queries the same token again must find this
  // flight.
  const Answer no_successor = upstreams_.add_successor(flight, now);
  const Completion completion{.token = flight.token.view(),
                              .document = outcome.body.view(),
                              .status = outcome.status,
                              .took = outcome.took,
                              .wants_lease = flight.wants_lease};
  const std::optional<Waiter> asker = answer_all(flight, flight.waiters, answer, completion);
  if (!asker) answer_unasked(flight, answer, completion);
  // An answer that must be recorded publishes its lease after its record is durable.
  if (flight.wants_lease && answer.reason == Reason::kOk && !audit_.covers(answer))
    audit_.publish_lease({.uid = flight.uid,
                          .upstream = flight.upstream,
                          .token = completion.token,
                          .key = &flight.key},
                         asker.value_or(Waiter{}));
  answer_all(flight, flight.successors, no_successor, {.token = flight.token.view()});
  if (const auto shed = upstreams_.sheds_pending(flight.upstream, deps_.clock.now()))
    drop_pending(flight.upstream, *shed);
  upstreams_.start_pending(flight.upstream, now);
}

// Returns one of the waiters that received the answer, if there were any. Checks revocation again
// before each waiter: a sink may revoke the token while handling an answer.
std::optional<Waiter> ClaimsService::answer_all(const Flight& flight,
                                                const std::vector<WaiterId>& waiters, Answer answer,
                                                const Completion& completion) {
  std::optional<Waiter> answered;
  std::uint64_t decided_under = guard_.rules().generation();
  for (const WaiterId id : waiters) {
    const std::optional<Waiting> waiting = upstreams_.take(id);
    if (!waiting) continue;
    if (answer.reason == Reason::kOk && decided_under != guard_.rules().generation()) {
      decided_under = guard_.rules().generation();
      if (settlement_.is_invalidated(flight, answer.claims, deps_.clock.now()))
        answer = Answer{.reason = Reason::kRevoked, .source = Source::kUpstream};
    }
    answered = waiting->waiter;
    answer_waiter(*waiting, answer, completion);
  }
  return answered;
}

// Answers a query that has waited.
void ClaimsService::answer_waiter(const Waiting& waiting, const Answer& answer,
                                  Completion completion) {
  const Duration waited = deps_.clock.now().boot - waiting.asked_at;
  Answer sent = or_stale(waiting, answer, completion);
  if (!guard_.is_complete() && proto::verdict_of(sent.reason) == Verdict::kValid)
    sent = Answer{.reason = Reason::kNotCurrent};
  if (waiting.wants_document && sent.reason == Reason::kOk && sent.source == Source::kUpstream)
    sent.document = completion.document;
  send(waiting, sent, completion);
  lookups_.waited(sent.source, waited);
}

// Records an Auth API verdict without a waiter: all waiters have left, or it was a refresh-ahead.
void ClaimsService::answer_unasked(const Flight& flight, const Answer& answer,
                                   const Completion& completion) {
  if (answer.reason != Reason::kOk && answer.reason != Reason::kRejected &&
      answer.reason != Reason::kClaimMismatch)
    return;
  if (!audit_.covers(answer)) return;
  audit_.send_recorded({.uid = flight.uid,
                        .upstream = flight.upstream,
                        .token = completion.token,
                        .key = &flight.key,
                        .deadline = deps_.clock.now().boot + policy_.max_timeout,
                        .status = completion.status,
                        .took = completion.took,
                        .wants_lease = completion.wants_lease},
                       Waiter{}, answer);
}

void ClaimsService::drop_pending(UpstreamId upstream, const Answer& answer) {
  while (const auto flight = upstreams_.drop_pending(upstream, deps_.clock.now())) {
    if (answer.reason == Reason::kBackoff) ++counters_.backoffs;
    answer_all(*flight, flight->waiters, answer, {.token = flight->token.view()});
  }
}

void ClaimsService::send(const Query& query, const Waiter& waiter, const Answer& answer,
                         const TokenKey& key) {
  if (!audit_.covers(answer)) return audit_.send(waiter, answer);
  About about = lease_for(query, key);
  about.origin = loggable_origin(query);
  about.deadline = policy_.deadline_after(query.timeout, deps_.clock.now().boot);
  audit_.send_recorded(about, waiter, answer);
}

void ClaimsService::send(const Waiting& waiting, const Answer& answer,
                         const Completion& completion) {
  if (!audit_.covers(answer)) return audit_.send(waiting.waiter, answer);
  audit_.send_recorded({.uid = waiting.uid,
                        .upstream = waiting.upstream,
                        .token = completion.token,
                        .key = &waiting.key,
                        .origin = waiting.origin.view(),
                        .deadline = waiting.deadline,
                        .status = completion.status,
                        .took = completion.took,
                        .wants_lease = completion.wants_lease,
                        .stale_until = completion.stale_until},
                       waiting.waiter, answer);
}

bool ClaimsService::report(const Report& report, const Waiter& waiter) {
  return reports_.record(report, waiter);
}

void ClaimsService::set_complete(bool complete) {
  if (guard_.is_complete() == complete) return;
  guard_.set_complete(complete);
  if (!complete) deps_.publisher.withdraw_all();
}

void ClaimsService::purge(const AdminAction& action, ActionDone done) {
  revocations_.purge(action, std::move(done));
}

void ClaimsService::revoke(const AdminAction& action, ActionDone done) {
  revocations_.revoke(action, std::move(done));
}

void ClaimsService::disconnected(std::uint64_t connection) {
  upstreams_.disconnected(connection);
  audit_.disconnected(connection);
}

std::optional<BootTime> ClaimsService::wake_time() const {
  std::optional<BootTime> wake = cache_.wake_time();
  for (const std::optional<BootTime>& deadline :
       {upstreams_.next_deadline(), audit_.next_deadline()})
    if (deadline && (!wake || *deadline < *wake)) wake = deadline;
  return wake;
}

std::optional<Duration> ClaimsService::wait_time() const {
  const std::optional<BootTime> deadline = wake_time();
  if (!deadline) return std::nullopt;
  return std::max(Duration(0), *deadline - deps_.clock.now().boot);
}

void ClaimsService::tick() {
  const Now now = deps_.clock.now();
  revocations_.expire(now);
  cache_.sweep(now);
  while (const std::optional<Waiting> waiting = upstreams_.take_overdue(now.boot)) {
    ++counters_.deadlines;
    deps_.observer.deadline_passed(waiting->upstream, waiting->origin.trace_id);
    answer_waiter(*waiting, Answer{.reason = Reason::kDeadline},
                  {.token = upstreams_.token_of(waiting->key)});
  }
  audit_.expire(now.boot);
}

void ClaimsService::stop() {
  upstreams_.stop();
  for (std::size_t upstream = 0; upstream < policy_.upstreams.size(); ++upstream)
    drop_pending(static_cast<UpstreamId>(upstream), Answer{.reason = Reason::kShuttingDown});
}

void ClaimsService::reconfigure(Policy policy) {
  // Fixed at startup.
  policy.negative_entries = policy_.negative_entries;
  policy.max_entries = policy_.max_entries;
  policy.memory_entries = policy_.memory_entries;
  policy.revocations.max_rules = policy_.revocations.max_rules;
  policy.upstreams = policy_.upstreams;
  const Policy before = std::exchange(policy_, complete(std::move(policy)));
  guard_.set_policy(policy_.revocations);
  reports_.policy_changed(before);
  cache_.policy_changed(before);
  upstreams_.policy_changed(before);
}

Inspector ClaimsService::inspector() {
  return Inspector({.policy = policy_,
                    .keyer = deps_.keyer,
                    .publisher = deps_.publisher,
                    .guard = guard_,
                    .cache = cache_,
                    .upstreams = upstreams_,
                    .now = deps_.clock.now()});
}

std::optional<TokenKey> ClaimsService::inspect(
    const std::optional<TokenKey>& after, std::size_t most,
    const std::function<void(const EntryDescription&)>& visit) {
  return inspector().each(after, most, visit);
}

void ClaimsService::inspect_token(std::string_view token,
                                  const std::function<void(const TokenFinding&)>& visit) {
  inspector().each_finding(token, visit);
}

}  // namespace claimsd::claims
