// token_breaker.h: a circuit breaker per token, for tokens whose requests fail while the Auth API
// works for others: an account it cannot load, or a throttled user.
//
// Such a token must not open the Auth API's own breaker for all users. Its first failure counts
// against the Auth API; later ones count against the token only, until it succeeds or its failures
// are forgotten. After `failure_threshold` consecutive failures the token backs off, with the backoff of
// circuit_breaker.h. Memory is bounded to two generations of kMaxTokens tokens. Pure; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "daemon/claims/parse/token.h"
#include "daemon/claims/upstream/circuit_breaker.h"

namespace claimsd::claims {

class TokenBreaker {
 public:
  static constexpr std::size_t kMaxTokens = 4'096;
  // How long a failure is remembered after the longest possible backoff.
  static constexpr Duration kRemembered = seconds(60);

  explicit TokenBreaker(const BreakerPolicy& policy) : policy_(policy) {}

  void set_policy(const BreakerPolicy& policy) { policy_ = policy; }

  // A request for this token failed, possibly because of the token itself.
  void failed(const TokenKey& key, BootTime now, Duration retry_after, Random& random);
  void worked(const TokenKey& key);
  // True if the token failed recently and has not succeeded since.
  bool holds(const TokenKey& key, BootTime now) const { return find(key, now) != nullptr; }
  // Remaining backoff; nullopt: requests are allowed.
  std::optional<Duration> backoff_remaining(const TokenKey& key, BootTime now) const;

 private:
  struct Failing {
    unsigned failures = 0;  // consecutive
    BootTime backoff_until{};
    BootTime forgotten{};
  };
  using Tokens = std::unordered_map<TokenKey, Failing, TokenKeyHash>;
  const Failing* find(const TokenKey& key, BootTime now) const;

  BreakerPolicy policy_;
  Tokens recent_;
  Tokens older_;
};

}  // namespace claimsd::claims
