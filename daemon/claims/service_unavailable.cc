// Queries that cannot be answered now: an open circuit breaker, full queues, used-up rate limits;
// and stale answers, where allowed. Part of ClaimsService (service.h).
#include "daemon/claims/service.h"

namespace claimsd::claims {

using proto::Reason;
using proto::Source;
using proto::Verdict;

namespace {

// Share of a queue that unknown tokens, or a single uid, may use.
std::size_t share_of(std::size_t places) {
  return places - places / 4;
}

}  // namespace

// The answer while the circuit breaker of the Auth API or of the token is open; otherwise nullopt.
std::optional<Answer> ClaimsService::back_off(UpstreamId upstream, const TokenKey& key,
                                              const Now& now) {
  Answer answer{.reason = Reason::kBackoff};
  if (const auto wait = upstreams_[upstream].breaker.backoff_remaining(now.boot)) {
    ++counters_.backoffs;
    answer.retry_after = *wait;
    return answer;
  }
  if (const auto wait = token_breaker_.backoff_remaining(key, now.boot)) {
    ++counters_.token_backoffs;
    answer.retry_after = *wait;
    return answer;
  }
  return std::nullopt;
}

// The answer if the query may not wait for a request; nullopt: it may. `known`: the token was valid
// before.
std::optional<Answer> ClaimsService::turn_down(const Query& query, const Flight* flight,
                                               bool makes_request, bool known, const Now& now) {
  const auto answer = [](Reason reason, Duration retry_after = {}) {
    Answer made{.reason = reason};
    made.retry_after = retry_after;
    return made;
  };
  if (is_full(query, flight, known, now)) {
    ++counters_.overloads;
    return answer(Reason::kOverloaded);
  }
  if (!makes_request) return std::nullopt;
  const auto wait = rate_limiter_.take(query.uid, query.origin.client_address, known, now.boot);
  if (!wait) return std::nullopt;
  ++counters_.rate_limited;
  return answer(Reason::kRateLimited, *wait);
}

bool ClaimsService::is_full(const Query& query, const Flight* flight, bool known, const Now& now) {
  if (flights_.waiting() >= policy_.max_waiters ||
      flights_.waiting_of(query.uid) >= policy_.max_waiters_per_uid)
    return true;
  if (flight != nullptr) {
    // The lists may still contain waiters that have left, so they need their own limit.
    return flight->waiters.size() + flight->successors.size() >= policy_.max_waiters;
  }
  const auto in_flight = static_cast<std::uint32_t>(flights_.in_flight(query.upstream));
  if (upstreams_[query.upstream].breaker.admits(now.boot, in_flight)) return false;
  const FairQueue& queue = flights_.queue(query.upstream);
  if (queue.size() >= policy_.max_pending) return true;
  const std::size_t share = share_of(policy_.max_pending);
  return queue.size_of(query.uid) >= share || (queue.size() >= share && !known);
}

// Delivers an answer to a query that has waited.
void ClaimsService::hand_over(const Waiting& waiting, const Answer& answer,
                              const Completion& completion) {
  const Duration waited = deps_.clock.now().boot - waiting.asked_at;
  lookups_.waited(stale_or(waiting, answer, completion), waited);
}

// Delivers a stale answer instead of "unavailable" if one is allowed. Returns the source of the
// delivered answer.
Source ClaimsService::stale_or(const Waiting& waiting, const Answer& answer,
                               const Completion& completion) {
  if (proto::verdict_of(answer.reason) == Verdict::kUnavailable &&
      answer.reason != Reason::kShuttingDown) {
    Completion with_stale = completion;
    if (const std::optional<Answer> stale = stale_answer(waiting, with_stale.stale_until)) {
      deliver(waiting, *stale, with_stale);
      return stale->source;
    }
  }
  deliver(waiting, answer, completion);
  return answer.source;
}

// Needs no check for rejected or revoked tokens: a rejection erases the entry, and revoked tokens
// are filtered out earlier. Purges are checked here.
std::optional<Answer> ClaimsService::stale_answer(const Waiting& waiting, BootTime& until) {
  if (policy_.ttl.stale_if_error <= Duration(0) || !sieve_.holds(waiting.key)) return std::nullopt;
  const std::optional<Entry> entry = deps_.cache.find(waiting.key);
  if (!entry) return std::nullopt;
  const Now now = deps_.clock.now();
  if (freshness_of(*entry, now, policy_.ttl, waiting.max_age) != Freshness::kStaleUsable)
    return std::nullopt;
  if (guard_.is_purged(waiting.upstream, entry->claims, entry->confirmed_at)) return std::nullopt;
  if (guard_.invalidates_claims(waiting.upstream, entry->claims, entry->issued_at, now))
    return Answer{.reason = Reason::kRevoked};
  until = std::min(entry->fresh_until, entry->confirmed_at + policy_.ttl.max_ttl) +
          policy_.ttl.stale_if_error;
  return Answer{.reason = Reason::kOk,
                .source = Source::kStale,
                .flags = entry->flags,
                .age = now.boot - entry->confirmed_at,
                .ttl_remaining = {},
                .retry_after = {},
                .claims = entry->claims};
}

// When the circuit breaker has just opened, pending queries fail immediately instead of waiting.
void ClaimsService::shed_pending(UpstreamId upstream) {
  if (flights_.queue(upstream).empty()) return;
  const auto wait = upstreams_[upstream].breaker.backoff_remaining(deps_.clock.now().boot);
  if (!wait) return;
  Answer answer{.reason = Reason::kBackoff};
  answer.retry_after = *wait;
  drop_pending(upstream, answer);
}

}  // namespace claimsd::claims
