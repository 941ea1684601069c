#include "daemon/claims/cache/negative_cache.h"

#include <algorithm>

namespace claimsd::claims {

void NegativeCache::put(const TokenKey& key, BootTime rejected_at, proto::Reason reason) {
  if (ttl_ <= Duration(0) || capacity_ == 0) return;
  // At most two arrivals per entry, so that a token that is rejected repeatedly cannot grow the
  // queue.
  while (rejections_.size() >= capacity_ || arrivals_.size() >= 2 * capacity_) drop_oldest();
  const Rejection rejection{rejected_at, rejected_at + ttl_, reason};
  rejections_[key] = rejection;
  arrivals_.push_back({key, rejection.until});
}

std::optional<NegativeCache::Rejection> NegativeCache::find(const TokenKey& key,
                                                            BootTime now) const {
  const auto found = rejections_.find(key);
  if (found == rejections_.end()) return std::nullopt;
  Rejection rejection = found->second;
  rejection.until = std::min(rejection.until, rejection.rejected_at + ttl_);
  if (rejection.until <= now) return std::nullopt;
  return rejection;
}

void NegativeCache::erase_revoked() {
  std::erase_if(rejections_,
                [](const auto& entry) { return entry.second.reason == proto::Reason::kRevoked; });
}

void NegativeCache::clear() {
  rejections_.clear();
  arrivals_.clear();
}

void NegativeCache::expire(BootTime now) {
  while (!arrivals_.empty() && arrivals_.front().until <= now) drop_oldest();
}

void NegativeCache::drop_oldest() {
  if (arrivals_.empty()) return;
  const Arrival oldest = arrivals_.front();
  arrivals_.pop_front();
  const auto found = rejections_.find(oldest.key);
  if (found != rejections_.end() && found->second.until == oldest.until) rejections_.erase(found);
}

}  // namespace claimsd::claims
