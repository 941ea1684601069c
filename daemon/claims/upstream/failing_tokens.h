// failing_tokens.h: tokens whose requests fail while the Auth API may be well: one user's account
// that it cannot load, say, or one whose use of it is throttled.
//
// Such a token must not make the Auth API look dead to everybody. So its first failure counts
// against the Auth API and its further ones do not, until it works or was left in peace for a
// while; instead the token itself is left alone after `open_after` failures in a row, as long as an
// Auth API would be (upstream_gate.h). Bounded: the last kMost of them, and up to as many before.
// Pure; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "daemon/claims/parse/token.h"
#include "daemon/claims/upstream/upstream_gate.h"

namespace claimsd::daemon {

class FailingTokens {
 public:
  static constexpr std::size_t kMost = 4'096;
  // After the longest time that it can have been left alone.
  static constexpr Duration kRemembered = seconds(60);

  explicit FailingTokens(const GatePolicy& policy) : policy_(policy) {}

  void set_policy(const GatePolicy& policy) { policy_ = policy; }

  // A request for it has failed, perhaps for its own sake.
  void failed(const TokenKey& key, BootTime now, Duration retry_after, Random& random);
  void worked(const TokenKey& key);
  // Has it failed lately, and not worked since?
  bool holds(const TokenKey& key, BootTime now) const { return find(key, now) != nullptr; }
  // For how much longer it is left alone; none: it is not.
  std::optional<Duration> left_alone_for(const TokenKey& key, BootTime now) const;

 private:
  struct Failing {
    unsigned failures = 0;  // in a row
    BootTime left_alone_until{};
    BootTime forgotten{};
  };
  using Tokens = std::unordered_map<TokenKey, Failing, TokenKeyHash>;
  const Failing* find(const TokenKey& key, BootTime now) const;

  GatePolicy policy_;
  Tokens recent_;
  Tokens older_;
};

}  // namespace claimsd::daemon
