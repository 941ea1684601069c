#include "daemon/claims/upstream/token_breaker.h"

#include <algorithm>

namespace claimsd::claims {

const TokenBreaker::Failing* TokenBreaker::find(const TokenKey& key, BootTime now) const {
  for (const Tokens* const tokens : {&recent_, &older_}) {
    const auto found = tokens->find(key);
    if (found != tokens->end()) return now < found->second.forgotten ? &found->second : nullptr;
  }
  return nullptr;
}

void TokenBreaker::failed(const TokenKey& key, BootTime now, Duration retry_after, Random& random) {
  const Failing* const before = find(key, now);
  Failing failing{.failures = before == nullptr ? 1 : before->failures + 1};
  const Duration advice = std::min(retry_after, policy_.longest_retry_after);
  Duration wait = advice;
  if (failing.failures >= policy_.failure_threshold)
    wait = std::max(wait, draw(failing.failures - policy_.failure_threshold, random));
  failing.backoff_until = now + wait;
  failing.forgotten = now + std::max(policy_.longest_backoff, advice) + kRemembered;
  if (recent_.size() >= kMaxTokens && !recent_.contains(key)) {
    older_ = std::move(recent_);
    recent_.clear();
  }
  recent_[key] = failing;
}

Duration TokenBreaker::draw(unsigned round, Random& random) const {
  const Duration half = backoff_limit(policy_, round) / 2;
  const auto jitter = random.below(static_cast<std::uint64_t>(half.count()) + 1);
  return half + Duration(static_cast<std::int64_t>(jitter));
}

void TokenBreaker::worked(const TokenKey& key) {
  if (!recent_.empty()) recent_.erase(key);
  if (!older_.empty()) older_.erase(key);
}

std::optional<Duration> TokenBreaker::backoff_remaining(const TokenKey& key, BootTime now) const {
  const Failing* const failing = find(key, now);
  if (failing == nullptr || failing->backoff_until <= now) return std::nullopt;
  return failing->backoff_until - now;
}

}  // namespace claimsd::claims
