// miss_budget.h: how many questions that nothing is known of each peer may have asked of the Auth
// APIs: by user id, and below that by the address of the client on whose behalf it asks.
//
// A part of each budget is kept for tokens that were valid before, so that made-up ones, which come
// from the internet under the backend's own user id, starve neither renewals nor known users.
// Bounded, whatever keys are made up. Pure; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/hash_set.h"
#include "daemon/claims/parse/token.h"
#include "daemon/claims/upstream/token_bucket.h"

namespace claimsd::daemon {

struct BudgetPolicy {
  Rate per_uid{.per_second = 1'000, .burst = 10'000};
  Rate per_client{.per_second = 50, .burst = 500};
  unsigned reserved_percent = 25;  // of each burst, for tokens that were valid before
  std::size_t max_uids = 1'024;
  std::size_t max_clients = 16'384;
  friend bool operator==(const BudgetPolicy&, const BudgetPolicy&) = default;
};

// What an address counts as: an IPv6 client owns a /64 and more, so its first 64 bits are it. What
// is no IPv6 address counts as it is written.
std::string_view client_of(std::string_view address, std::string& buffer);

class MissBudget {
 public:
  explicit MissBudget(const BudgetPolicy& policy)
      : policy_(policy),
        by_uid_(policy.per_uid, policy.max_uids),
        by_client_(policy.per_client, policy.max_clients) {}

  // Takes one miss out of the budget. Else: how long until there is one.
  std::optional<Duration> take(std::uint32_t uid, std::string_view client_address, bool known,
                               BootTime now);

 private:
  BudgetPolicy policy_;
  TokenBuckets<std::uint32_t> by_uid_;
  TokenBuckets<std::uint64_t> by_client_;  // by hash of uid and client
};

// Tokens that were valid some time ago, by the hash of their key: the last `capacity` of them, and
// up to as many before. A wrong guess costs a place in the reserve and no more.
class KnownTokens {
 public:
  explicit KnownTokens(std::size_t capacity) : capacity_(capacity) {}

  void add(const TokenKey& key);
  void erase(const TokenKey& key);
  bool holds(const TokenKey& key) const;
  // Ahead of holds() (HashSet::prefetch).
  void prefetch(const TokenKey& key) const;
  std::size_t size() const { return recent_.size() + older_.size(); }

 private:
  std::size_t capacity_;
  HashSet recent_;
  HashSet older_;
};

}  // namespace claimsd::daemon
