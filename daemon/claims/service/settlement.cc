#include "daemon/claims/service/settlement.h"

#include <algorithm>

#include "proto/messages.h"

namespace claimsd::claims {

using proto::Reason;
using proto::Source;

namespace {

std::uint16_t flags_of(const DocumentNotes& document) {
  if (document.truncated) return proto::kAnswerTruncated;
  return document.compacted ? proto::kAnswerCompacted : std::uint16_t{0};
}

}  // namespace

Answer Settlement::settle(const UpstreamScheduler::Completed& completed, const Now& now) {
  const Judgement& judgement = completed.judgement;
  switch (judgement.reason) {
    case Reason::kOk: return confirm(completed, now);
    case Reason::kRejected:
    case Reason::kClaimMismatch: return reject(completed.flight, judgement.reason, now);
    default: break;
  }
  ++deps_.counters.upstream_failures;
  Answer answer{.reason = judgement.reason};
  answer.retry_after = judgement.retry_after.wait;
  return answer;
}

// A 200: cache it for its TTL, unless a request that started later has already rejected the token.
Answer Settlement::confirm(const UpstreamScheduler::Completed& completed, const Now& now) {
  const Flight& flight = completed.flight;
  const Judgement& judgement = completed.judgement;
  ++deps_.counters.upstream_confirmations;
  const Now& started = *flight.started;
  NegativeCache& negative = deps_.cache.negative();
  if (const auto rejection = negative.find(flight.key, now.boot);
      rejection && rejection->rejected_at > started.boot) {
    ++deps_.counters.late_results;
    return Answer{.reason = Reason::kRejected, .source = Source::kCache};
  }
  if (is_invalidated(flight, judgement.claims.block.view(), now)) {
    deps_.cache.erase(flight.key);
    // The negative entry spares the Auth API repeated requests for the revoked token.
    negative.put(flight.key, started.boot, Reason::kRevoked);
    return Answer{.reason = Reason::kRevoked, .source = Source::kUpstream};
  }
  const TtlPolicy& policy = deps_.policy.ttl;
  const JwtTimes& times = flight.times;
  const WallTime rejected_after = std::min(times.rejected_after(), judgement.expires_at);
  if (has_expired(rejected_after, now, policy)) return Answer{.reason = Reason::kExpired};

  const CacheHeaders headers =
      without_no_store(judgement.headers, deps_.policy.upstreams.at(flight.upstream).no_store_ttl);
  if (judgement.claims.truncated) ++deps_.counters.truncated;
  const Entry entry{
      .confirmed_at = started.boot,
      .fresh_until = expires_at(started.boot, headers, policy, deps_.random),
      .expires_at = std::min(times.expires_at, judgement.expires_at),
      .issued_at = times.proven_issued_at(),
      .flags = flags_of(judgement.claims),
      .claims = judgement.claims.block.view(),
  };
  negative.erase(flight.key);
  deps_.upstreams.remember_valid(flight.key);
  const Duration left = ttl_remaining(entry, now, policy);
  const bool is_cacheable = !headers.no_store && times.readable && !judgement.uncacheable &&
                            !completed.is_disputed && !flight.closed &&
                            !deps_.guard.is_purged(flight.upstream, entry.claims, started.boot);
  if (!is_cacheable || left <= Duration(0)) {
    ++deps_.counters.not_cached;
    // An older confirmation must not outlive a newer one that may not be cached.
    deps_.cache.erase(flight.key);
  } else {
    deps_.cache.put(flight.key, entry, now);
  }
  return Answer{.reason = Reason::kOk,
                .source = Source::kUpstream,
                .flags = entry.flags,
                .age = now.boot - started.boot,
                .ttl_remaining = is_cacheable ? std::max(left, Duration(0)) : Duration(0),
                .retry_after = {},
                .claims = entry.claims};
}

// The rejected token is erased from the store before any waiter is answered. `reason` is kRejected or
// kClaimMismatch.
Answer Settlement::reject(const Flight& flight, Reason reason, const Now& now) {
  ++deps_.counters.upstream_rejections;
  deps_.cache.erase(flight.key);
  deps_.audit.rejected(flight.key, flight.started->boot);
  deps_.upstreams.forget_valid(flight.key);
  NegativeCache& negative = deps_.cache.negative();
  negative.expire(now.boot);
  // The result of a purged flight must not affect queries made after the purge.
  if (!flight.closed) negative.put(flight.key, flight.started->boot, reason);
  return Answer{.reason = reason,
                .source = Source::kUpstream,
                .flags = 0,
                .age = now.boot - flight.started->boot,
                .ttl_remaining = {},
                .retry_after = {},
                .claims = {}};
}

bool Settlement::is_invalidated(const Flight& flight, std::string_view claims,
                                const Now& now) const {
  return deps_.guard.invalidates_token(flight.token.view(), now) ||
         deps_.guard.invalidates_claims(flight.upstream, claims, flight.times.proven_issued_at(),
                                        now);
}

}  // namespace claimsd::claims
