#include "daemon/claims/service.h"

#include <algorithm>

#include "daemon/claims/parse/jwt_parser.h"
#include "daemon/claims/parse/trace_id.h"
#include "proto/limits.h"
#include "proto/messages.h"

namespace claimsd::claims {

using proto::Reason;
using proto::Source;
using proto::Verdict;

namespace {

// Expired tokens are wiped from memory within this time.
constexpr Duration kSweepInterval = seconds(1);

// Tokens whose refresh-ahead failed are queried again only after their TTL.
constexpr std::size_t kRefreshesRemembered = 4'096;

}  // namespace

ClaimsService::ClaimsService(Policy policy, Dependencies deps)
    : policy_(std::move(policy)),
      deps_(deps),
      negative_cache_(policy_.negative_ttl, policy_.negative_entries),
      memory_cache_(policy_.memory_entries, deps_.random),
      guard_(policy_.revocations, deps_.fingerprinter),
      rate_limiter_(policy_.rate_limit),
      reports_(policy_.reports.per_uid, policy_.reports.max_uids),
      recently_valid_(policy_.max_entries),
      refresh_failed_(kRefreshesRemembered),
      token_breaker_(policy_.breaker),
      leases_(policy_.ttl, policy_.lease,
              {deps_.clock, deps_.cache, deps_.publisher, sieve_, guard_, memory_cache_}) {
  policy_.breaker.max_in_flight = static_cast<std::uint32_t>(policy_.max_in_flight);
  for (const UpstreamPolicy& upstream : policy_.upstreams)
    upstreams_.push_back({CircuitBreaker(policy_.breaker), UrlFailover(upstream.urls)});
  deps_.cache.each([this](const TokenKey& key, BootTime fresh_until) {
    sieve_.put(key, fresh_until + policy_.ttl.stale_if_error);
    recently_valid_.add(key);
  });
  evict_for(0, deps_.clock.now());
}

bool ClaimsService::query(const Query& query, const Waiter& waiter) {
  turned_away_ = false;
  answer_query(query, waiter);
  return !turned_away_;
}

// The hot path.
void ClaimsService::answer_query(const Query& query, const Waiter& waiter) {
  ++counters_.queries;
  if (query.token.size() > proto::kMaxToken) {
    ++counters_.local_rejections;
    return deliver(query, waiter, Answer{.reason = Reason::kTooLong});
  }
  const Now now = deps_.clock.now();
  const MemoryCache::Item* const memory_cache = memory_cache_.find(query.upstream, query.token);
  if (memory_cache != nullptr && memory_cache->vetted == guard_.rules().generation()) {
    const Freshness freshness = freshness_of(memory_cache->entry, now, policy_.ttl, query.max_age);
    if (is_usable(freshness)) {
      // An answer that must be recorded renews its lease after its record is durable.
      const bool renews =
          query.wants_lease && now.boot >= memory_cache->renew_lease_at && !policy_.audit.hits;
      const TokenKey key = memory_cache->key;  // a copy: the sink may erase the in-memory entry
      sieve_.touch(key);
      answer_hit(key, memory_cache->entry, query, waiter, now, freshness);
      if (renews) publish_lease(about(query, key), waiter);
      return;
    }
  }
  if (revoked_token(query, waiter, now)) return;
  const TokenKey key = deps_.keyer.key_of(query.upstream, query.token);
  if (answer_from_cache(key, query, waiter, now)) return;
  recently_valid_.prefetch(key);
  JwtTimes times;
  if (reject_locally(key, query, waiter, now, times)) return;
  enqueue(key, query, waiter, now, times);
}

// Check revocation before any lookup that can return valid. Revoking a token evicts it from the
// in-memory cache, so that lookup may come first.
bool ClaimsService::revoked_token(const Query& query, const Waiter& waiter, const Now& now) {
  if (!guard_.invalidates_token(query.token, now)) return false;
  deliver(query, waiter, Answer{.reason = Reason::kRevoked});
  return true;
}

bool ClaimsService::answer_from_cache(const TokenKey& key, const Query& query, const Waiter& waiter,
                                      const Now& now) {
  // The sieve lists every cached key. An entry that it does not list is ignored, because the store
  // may have failed to erase it.
  if (!sieve_.may_hold(key)) return false;
  const std::optional<Entry> entry = deps_.cache.find(key);
  const Sieve::Index place = sieve_.find(key);
  if (!entry || place == Sieve::npos) return false;
  const Freshness freshness = freshness_of(*entry, now, policy_.ttl, query.max_age);
  if (!is_usable(freshness)) return false;
  if (guard_.is_purged(query.upstream, entry->claims, entry->confirmed_at)) {
    purge_entry(key);
    return false;
  }
  if (guard_.invalidates_claims(query.upstream, entry->claims, entry->issued_at, now)) {
    deliver(query, waiter, Answer{.reason = Reason::kRevoked});
    return true;
  }
  sieve_.touch(place);
  // A lease request reads the entry again (Leases::show), so put it into the in-memory cache.
  if (query.wants_lease || memory_cache_.asked_again(query.upstream, query.token)) {
    memory_cache_.put(query.upstream, query.token, key, *entry, guard_.rules().generation());
    if (!next_sweep_) next_sweep_ = now.boot + kSweepInterval;
  }
  answer_hit(key, *entry, query, waiter, now, freshness);
  if (query.wants_lease && !policy_.audit.hits) publish_lease(about(query, key), waiter);
  return true;
}

void ClaimsService::answer_hit(const TokenKey& key, const Entry& entry, const Query& query,
                               const Waiter& waiter, const Now& now, Freshness freshness) {
  ++counters_.cache_hits;
  const std::uint64_t generation = guard_.rules().generation();
  deliver(query, waiter,
          Answer{.reason = Reason::kOk,
                 .source = Source::kCache,
                 .flags = entry.flags,
                 .age = now.boot - entry.confirmed_at,
                 .ttl_remaining = ttl_remaining(entry, now, policy_.ttl),
                 .retry_after = {},
                 .claims = entry.claims},
          key);
  // The sink may have revoked the token while it handled the answer.
  if (freshness == Freshness::kRefreshDue && guard_.rules().generation() == generation &&
      sieve_.holds(key))
    refresh(key, query, now);
}

// Refresh-ahead, so that later queries need not wait. Skipped first under load.
void ClaimsService::refresh(const TokenKey& key, const Query& query, const Now& now) {
  const CircuitBreaker& breaker = upstreams_[query.upstream].breaker;
  if (stopping_ || flights_.find(key) != nullptr || refresh_failed_.holds(key) ||
      token_breaker_.backoff_remaining(key, now.boot))
    return;
  if (breaker.state() != CircuitBreaker::State::kClosed ||
      flights_.queue(query.upstream).size() > 0 ||
      flights_.in_flight(query.upstream) >= (breaker.window() + 1) / 2)
    return;
  if (rate_limiter_.take(query.uid, query.origin.client_address, true, now.boot)) return;
  ++counters_.refreshes;
  Flight& flight = flights_.add(key, query.upstream, Secret(query.token),
                                read_jwt_times(query.token, json_), query.uid, true);
  flight.refresh = true;
  flight.trace_id = loggable_origin(query).trace_id;
  flight.wants_lease = query.wants_lease;
  start_pending(query.upstream, now);
}

// Rejects without a request to the Auth API. The token's syntax is checked only here, because every
// cached token has already passed.
bool ClaimsService::reject_locally(const TokenKey& key, const Query& query, const Waiter& waiter,
                                   const Now& now, JwtTimes& times) {
  if (const Reason reason = check_token(query.token); reason != Reason::kOk) {
    ++counters_.local_rejections;
    deliver(query, waiter, Answer{.reason = reason});
    return true;
  }
  times = read_jwt_times(query.token, json_);
  if (has_expired(times.expires_at, now, policy_.ttl)) {
    ++counters_.local_rejections;
    deliver(query, waiter, Answer{.reason = Reason::kExpired});
    return true;
  }
  const auto rejection = negative_cache_.find(key, now.boot);
  if (!rejection) return false;
  if (query.max_age && now.boot - rejection->rejected_at > *query.max_age) return false;
  if (query.max_age == Duration(0)) return false;
  ++counters_.negative_hits;
  deliver(query, waiter,
          Answer{.reason = rejection->reason,
                 .source = Source::kCache,
                 .flags = 0,
                 .age = now.boot - rejection->rejected_at,
                 .ttl_remaining = rejection->until - now.boot,
                 .retry_after = {},
                 .claims = {}});
  return true;
}

Answer ClaimsService::settle(const Flight& flight, const Judgement& judgement,
                             const FetchOutcome& outcome, const Now& now) {
  switch (judgement.reason) {
    case Reason::kOk: return confirm(flight, judgement, outcome, now);
    case Reason::kRejected: return reject(flight, now);
    default: break;
  }
  ++counters_.upstream_failures;
  Answer answer{.reason = judgement.reason};
  answer.retry_after = judgement.retry_after.wait;
  return answer;
}

// A 200: cache it for its TTL, unless a request that started later has already rejected the token.
Answer ClaimsService::confirm(const Flight& flight, const Judgement& judgement,
                              const FetchOutcome& outcome, const Now& now) {
  ++counters_.upstream_confirmations;
  const Now& started = *flight.started;
  if (const auto rejection = negative_cache_.find(flight.key, now.boot);
      rejection && rejection->rejected_at > started.boot) {
    ++counters_.late_results;
    return Answer{.reason = Reason::kRejected, .source = Source::kCache};
  }
  if (is_invalidated(flight, judgement.claims.block.view(), now)) {
    purge_entry(flight.key);
    // The negative entry spares the Auth API repeated requests for the revoked token.
    negative_cache_.put(flight.key, started.boot, Reason::kRevoked);
    return Answer{.reason = Reason::kRevoked, .source = Source::kUpstream};
  }
  const JwtTimes& times = flight.times;
  if (has_expired(times.expires_at, now, policy_.ttl)) return Answer{.reason = Reason::kExpired};

  const CacheHeaders headers = read_cache_headers(outcome.cache_control, outcome.age, outcome.vary);
  if (judgement.claims.truncated) ++counters_.truncated;
  const Entry entry{
      .confirmed_at = started.boot,
      .fresh_until = expires_at(started.boot, headers, policy_.ttl, deps_.random),
      .expires_at = times.expires_at,
      .issued_at = times.issued_at,
      .flags = judgement.claims.truncated ? proto::kAnswerTruncated : std::uint16_t{0},
      .claims = judgement.claims.block.view(),
  };
  negative_cache_.erase(flight.key);
  recently_valid_.add(flight.key);
  const Duration left = ttl_remaining(entry, now, policy_.ttl);
  const bool purged =
      flight.closed || guard_.is_purged(flight.upstream, entry.claims, started.boot);
  if (headers.no_store || purged || left <= Duration(0)) {
    ++counters_.not_cached;
    // An older confirmation must not outlive a newer one that may not be cached.
    purge_entry(flight.key);
  } else {
    keep(flight.key, entry, now);
  }
  return Answer{
      .reason = Reason::kOk,
      .source = Source::kUpstream,
      .flags = entry.flags,
      .age = now.boot - started.boot,
      .ttl_remaining = headers.no_store || purged ? Duration(0) : std::max(left, Duration(0)),
      .retry_after = {},
      .claims = entry.claims};
}

// The rejected token is erased from the store before any waiter is answered.
Answer ClaimsService::reject(const Flight& flight, const Now& now) {
  ++counters_.upstream_rejections;
  purge_entry(flight.key);
  pending_answers_.reject(flight.key, flight.started->boot);
  recently_valid_.erase(flight.key);
  negative_cache_.expire(now.boot);
  // The result of a purged flight must not affect queries made after the purge.
  if (!flight.closed) negative_cache_.put(flight.key, flight.started->boot);
  return Answer{.reason = Reason::kRejected,
                .source = Source::kUpstream,
                .flags = 0,
                .age = now.boot - flight.started->boot,
                .ttl_remaining = {},
                .retry_after = {},
                .claims = {}};
}

void ClaimsService::keep(const TokenKey& key, const Entry& entry, const Now& now) {
  deps_.publisher.withdraw(key);
  memory_cache_.erase(key);  // it holds the old entry
  evict_for(sieve_.holds(key) ? 0 : 1, now);
  Stored stored = deps_.cache.put(key, entry);
  // The store is also limited by bytes: a large entry may replace several small ones.
  for (int tries = 0; stored == Stored::kFull && tries < 16 && sieve_.size() > 0; ++tries) {
    evict_for(policy_.max_entries - sieve_.size() + 1 + static_cast<std::size_t>(tries), now);
    stored = deps_.cache.put(key, entry);
  }
  if (stored == Stored::kStored) {
    sieve_.put(key, entry.fresh_until + policy_.ttl.stale_if_error);
    return;
  }
  ++counters_.not_cached;
  purge_entry(key);
}

// Removes an entry. If the store cannot erase it, it is ignored because the sieve no longer lists
// it.
void ClaimsService::purge_entry(const TokenKey& key) {
  deps_.publisher.withdraw(key);
  memory_cache_.erase(key);
  sieve_.erase(key);
  deps_.cache.erase(key);
}

// Evicts until `room` more entries fit.
void ClaimsService::evict_for(std::size_t room, const Now& now) {
  while (sieve_.size() + room > policy_.max_entries) {
    const std::optional<TokenKey> victim = sieve_.evict(now.boot);
    if (!victim) return;
    memory_cache_.erase(*victim);
    deps_.cache.erase(*victim);
    ++counters_.evictions;
  }
}

std::optional<BootTime> ClaimsService::wake_time() const {
  std::optional<BootTime> wake = next_sweep_;
  for (const std::optional<BootTime>& deadline :
       {flights_.next_deadline(), pending_answers_.next_deadline()})
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
  negative_cache_.expire(now.boot);
  if (next_expiry_ <= now.boot) expire_rules(now);
  if (next_sweep_ && *next_sweep_ <= now.boot) {
    memory_cache_.sweep(now);
    next_sweep_.reset();
    if (!memory_cache_.empty()) next_sweep_ = now.boot + kSweepInterval;
  }
  while (const std::optional<Waiting> waiting = flights_.take_overdue(now.boot)) {
    ++counters_.deadlines;
    deps_.observer.deadline_passed(waiting->upstream, waiting->origin.trace_id);
    const Flight* const flight = flights_.find(waiting->key);
    hand_over(*waiting, Answer{.reason = Reason::kDeadline},
              {.token = flight != nullptr ? flight->token.view() : std::string_view()});
  }
  for (const PendingAnswer& held : pending_answers_.take_overdue(now.boot)) give_up(held);
}

void ClaimsService::stop() {
  stopping_ = true;
  for (std::size_t upstream = 0; upstream < upstreams_.size(); ++upstream)
    drop_pending(static_cast<UpstreamId>(upstream), Answer{.reason = Reason::kShuttingDown});
}

void ClaimsService::disconnected(std::uint64_t connection) {
  flights_.drop_connection(connection);
  pending_answers_.drop_connection(connection);
}

BootTime ClaimsService::deadline_after(Duration timeout, const Now& now) const {
  const bool unlimited = timeout <= Duration(0) || timeout > policy_.max_timeout;
  return now.boot + (unlimited ? policy_.max_timeout : timeout);
}

Origin loggable_origin(const Query& query) {
  Origin origin = query.origin;
  origin.trace_id = loggable_trace_id(origin.trace_id, query.token);
  return origin;
}

ClaimsService::About ClaimsService::about(const Query& query, const TokenKey& key) {
  return {.uid = query.uid,
          .upstream = query.upstream,
          .token = query.token,
          .key = &key,
          .wants_lease = query.wants_lease};
}

void ClaimsService::deliver(const Query& query, const Waiter& waiter, const Answer& answer,
                            const TokenKey& key) {
  if (!policy_.audit.covers(answer)) return reply(waiter, answer);
  About what = about(query, key);
  what.origin = loggable_origin(query);
  what.deadline = deadline_after(query.timeout, deps_.clock.now());
  leave_recorded(what, waiter, answer);
}

void ClaimsService::deliver(const Waiting& waiting, const Answer& answer,
                            const Completion& completion) {
  if (answer.reason == Reason::kRateLimited) turned_away_ = true;
  if (!policy_.audit.covers(answer)) return reply(waiting.waiter, answer);
  leave_recorded({.uid = waiting.uid,
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

// Every answer is sent from here.
void ClaimsService::reply(const Waiter& waiter, const Answer& answer) {
  if (waiter.connection == 0) return;  // no client waits
  if (answer.reason == Reason::kRevoked) ++counters_.revoked_answers;
  if (answer.source == Source::kStale) ++counters_.stale_answers;
  const Verdict verdict = proto::verdict_of(answer.reason);
  lookups_.answered(answer.source, verdict);
  switch (verdict) {
    case Verdict::kValid: ++counters_.answers_valid; break;
    case Verdict::kInvalid: ++counters_.answers_invalid; break;
    case Verdict::kUnavailable: ++counters_.answers_unavailable; break;
  }
  deps_.sink.answer(waiter, answer);
}

}  // namespace claimsd::claims
