// rate_limiter.h: rate limit on cache misses, per user id, and within it per client address.
//
// Part of each limit is reserved for tokens that were valid before, so that a flood of made-up
// tokens from the internet, which arrives under the backend's own user id, starves neither renewals
// nor known users. Memory is bounded for any set of keys. Pure; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/hash_set.h"
#include "daemon/claims/parse/token.h"
#include "daemon/claims/upstream/token_bucket.h"
#include "proto/vocabulary.h"

namespace claimsd::claims {

struct RateLimitPolicy {
  Rate per_uid{.per_second = 1'000, .burst = 10'000};
  Rate per_client{.per_second = 50, .burst = 500};
  unsigned reserved_percent = 25;  // of each burst, for tokens that were valid before
  std::size_t max_uids = 1'024;
  std::size_t max_clients = 16'384;
  // Addresses of this host. A proxy on it is not a client: its queries come from many.
  std::vector<std::string> own_addresses;
  friend bool operator==(const RateLimitPolicy&, const RateLimitPolicy&) = default;
};

// Normalizes a client address for rate limiting. An IPv6 client owns at least a /64, so only the
// first 64 bits count. Any other text is returned unchanged.
std::string_view client_of(std::string_view address, std::string& buffer);

// Whether the address is the loopback, or one of `own`. An IPv4 address may be written as an
// IPv4-mapped IPv6 one.
bool is_own_address(std::string_view address, const std::vector<std::string>& own);

class RateLimiter {
 public:
  explicit RateLimiter(const RateLimitPolicy& policy)
      : policy_(policy),
        by_uid_(policy.per_uid, policy.max_uids),
        by_client_(policy.per_client, policy.max_clients) {}

  struct Exceeded {
    proto::Reason reason;  // which limit
    Duration wait;         // until it allows one more
  };
  // Takes one miss from the limits, or returns the one that is exceeded.
  std::optional<Exceeded> take(std::uint32_t uid, std::string_view client_address, bool known,
                               BootTime now);

 private:
  RateLimitPolicy policy_;
  TokenBuckets<std::uint32_t> by_uid_;
  TokenBuckets<std::uint64_t> by_client_;  // key: hash of uid and client
};

// Tokens that were valid recently, by the hash of their key. Holds up to two generations of
// `capacity` tokens. A hash collision only gives a token access to the reserve.
class RecentlyValid {
 public:
  explicit RecentlyValid(std::size_t capacity) : capacity_(capacity) {}

  void add(const TokenKey& key);
  void erase(const TokenKey& key);
  bool holds(const TokenKey& key) const;
  // Prepares a call of holds() (HashSet::prefetch).
  void prefetch(const TokenKey& key) const;
  std::size_t size() const { return recent_.size() + older_.size(); }

 private:
  std::size_t capacity_;
  HashSet recent_;
  HashSet older_;
};

}  // namespace claimsd::claims
