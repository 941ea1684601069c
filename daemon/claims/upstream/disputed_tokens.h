// disputed_tokens.h: tokens that one instance of the Auth API rejected and another confirmed shortly
// afterwards. Their confirmations are not cached for a while. Memory is bounded: the oldest are
// forgotten first. Pure; loop thread.
#pragma once

#include <unordered_map>
#include <utility>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::claims {

class DisputedTokens {
 public:
  static constexpr std::size_t kMaxTokens = 4'096;  // in each of two generations

  void add(const TokenKey& key, BootTime until, BootTime now) {
    if (until <= now) return;
    if (recent_.size() >= kMaxTokens && !recent_.contains(key)) older_ = std::exchange(recent_, {});
    recent_[key] = until;
  }

  bool holds(const TokenKey& key, BootTime now) const {
    for (const Tokens* const tokens : {&recent_, &older_}) {
      const auto found = tokens->find(key);
      if (found != tokens->end()) return now < found->second;
    }
    return false;
  }

 private:
  using Tokens = std::unordered_map<TokenKey, BootTime, TokenKeyHash>;
  Tokens recent_;
  Tokens older_;
};

}  // namespace claimsd::claims
