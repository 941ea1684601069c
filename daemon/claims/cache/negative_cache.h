// negative_cache.h: the negative cache: tokens that were rejected recently. It is separate from the
// cache, so invalid tokens cannot evict valid entries.
//
// Holds rejections only, never failures: those by the Auth API and those by a revocation. All have
// the same short TTL. At most `capacity` entries; the oldest is evicted first. In memory only; loop
// thread.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::claims {

class NegativeCache {
 public:
  struct Rejection {
    BootTime rejected_at;  // start of the request that was rejected
    BootTime until;
    proto::Reason reason = proto::Reason::kRejected;
  };

  NegativeCache(Duration ttl, std::size_t capacity) : ttl_(ttl), capacity_(capacity) {}

  // Stores a rejection. Does nothing if the TTL or the capacity is zero.
  void put(const TokenKey& key, BootTime rejected_at,
           proto::Reason reason = proto::Reason::kRejected);
  // The rejection of `key`, unless it has expired.
  std::optional<Rejection> find(const TokenKey& key, BootTime now) const;
  void erase(const TokenKey& key) { rejections_.erase(key); }
  // Removes the rejections by a revocation.
  void erase_revoked();
  void clear();
  // Applies to new entries, and shortens existing ones that would last longer.
  void set_ttl(Duration ttl) { ttl_ = ttl; }
  std::size_t size() const { return rejections_.size(); }
  // Removes expired entries; amortized constant time.
  void expire(BootTime now);

 private:
  struct Arrival {
    TokenKey key;
    BootTime until;
  };
  void drop_oldest();

  Duration ttl_;
  std::size_t capacity_;
  std::unordered_map<TokenKey, Rejection, TokenKeyHash> rejections_;
  // Oldest first. May contain keys that were erased or rejected again since.
  std::deque<Arrival> arrivals_;
};

}  // namespace claimsd::claims
