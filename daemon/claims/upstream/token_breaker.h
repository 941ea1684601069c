// token_breaker.h: a circuit breaker per token, for tokens whose requests get no verdict while the
// Auth API works for others: an account it cannot load, a throttled user, a 403, a redirect, a bad
// document.
//
// Such a token must not open the Auth API's own breaker for all users. The first of its failures
// that may be the Auth API's counts against it; later ones count against the token only, until it
// gets a verdict or its failures are forgotten. After `failure_threshold` consecutive failures the
// token backs off. The backoffs double as in circuit_breaker.h, but each is at least half of its
// limit: that bounds the requests for one token. Memory is bounded to two generations of kMaxTokens tokens. Pure; loop thread.
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

  // A request for this token got no verdict, possibly because of the token itself.
  void failed(const TokenKey& key, BootTime now, Duration retry_after, Random& random);
  // It was confirmed or rejected.
  void worked(const TokenKey& key);
  // True if the token failed recently and has had no verdict since.
  bool holds(const TokenKey& key, BootTime now) const { return find(key, now) != nullptr; }
  // Forgets all failures.
  void clear() {
    recent_.clear();
    older_.clear();
  }
  // Remaining backoff; nullopt: requests are allowed.
  std::optional<Duration> backoff_remaining(const TokenKey& key, BootTime now) const;

 private:
  struct Failing {
    unsigned failures = 0;  // consecutive
    BootTime backoff_until{};
    BootTime forgotten{};
  };
  using Tokens = std::unordered_map<TokenKey, Failing, TokenKeyHash>;
  Duration draw(unsigned round, Random& random) const;
  const Failing* find(const TokenKey& key, BootTime now) const;

  BreakerPolicy policy_;
  Tokens recent_;
  Tokens older_;
};

}  // namespace claimsd::claims
