#include "daemon/claims/cache/negative_cache.h"

#include <algorithm>

namespace claimsd::daemon {

void NegativeCache::put(const TokenKey& key, BootTime refused_at, proto::Reason reason) {
  if (ttl_ <= Duration(0) || capacity_ == 0) return;
  // At most two arrivals per entry, so that a token that is rejected repeatedly cannot grow the
  // queue.
  while (refusals_.size() >= capacity_ || arrivals_.size() >= 2 * capacity_) drop_oldest();
  const Refusal refusal{refused_at, refused_at + ttl_, reason};
  refusals_[key] = refusal;
  arrivals_.push_back({key, refusal.until});
}

std::optional<NegativeCache::Refusal> NegativeCache::find(const TokenKey& key, BootTime now) const {
  const auto found = refusals_.find(key);
  if (found == refusals_.end()) return std::nullopt;
  Refusal refusal = found->second;
  refusal.until = std::min(refusal.until, refusal.refused_at + ttl_);
  if (refusal.until <= now) return std::nullopt;
  return refusal;
}

void NegativeCache::clear() {
  refusals_.clear();
  arrivals_.clear();
}

void NegativeCache::expire(BootTime now) {
  while (!arrivals_.empty() && arrivals_.front().until <= now) drop_oldest();
}

void NegativeCache::drop_oldest() {
  if (arrivals_.empty()) return;
  const Arrival oldest = arrivals_.front();
  arrivals_.pop_front();
  const auto found = refusals_.find(oldest.key);
  if (found != refusals_.end() && found->second.until == oldest.until) refusals_.erase(found);
}

}  // namespace claimsd::daemon
