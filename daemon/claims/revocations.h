// revocations.h: what an operator has taken back, whatever the Auth API says. Pure; loop thread.
//
//   token      one token, until its `exp`, or for as long as was asked where it has none
//   user       a user's tokens issued before a moment; logging in again works
//   lock       a user altogether, until a moment
//   everybody  all tokens issued before a moment
//
// A token without `iat` counts as issued before any moment, until `undated_until` of the rule.
// Rules about users and everybody have no end: tokens that they deny may live for any time; a later
// rule replaces an earlier one of the same subject, so they are bounded by the users there are. The
// others end by themselves, but only when *both* clocks say so: a wall clock that was wrong for a
// while must not let anybody in again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "daemon/base/clock.h"
#include "daemon/claims/token.h"

namespace claimsd::daemon {

// Of a token or a user: an HMAC under the revocations' own key, which no rotation or reload
// touches. Made by a Fingerprinter.
using Fingerprint = TokenKey;

enum class RuleKind : std::uint8_t { kToken = 1, kUser = 2, kLock = 3, kEverybody = 4 };

struct Rule {
  RuleKind kind = RuleKind::kToken;
  Fingerprint subject;  // zeros for everybody
  WallTime made_at{};
  WallTime not_before = WallTime::min();  // kUser, kEverybody: tokens issued earlier are denied
  WallTime undated_until =
      WallTime::min();  // kUser, kEverybody: so are, until then, tokens that don't say when
  WallTime until = WallTime::max();  // kToken, kLock: end of the rule
};

class Revocations {
 public:
  explicit Revocations(std::size_t capacity) : capacity_(capacity) {}

  // Takes effect at once. False when it is full: nothing was forgotten, nothing was added.
  bool add(const Rule& rule, const Now& now);
  // Forgets rules that have ended; call now and then. Gives each to `forget`.
  template <class Forget>
  void expire(const Now& now, Forget&& forget);

  bool empty() const { return rules_.empty(); }
  bool has_tokens() const { return token_rules_ > 0; }
  bool has_users() const { return rules_.size() > token_rules_; }
  std::size_t size() const { return rules_.size(); }

  bool denies_token(const Fingerprint& token, const Now& now) const;
  // Of a user's token with this `iat` (WallTime::min(): none).
  bool denies_user(const Fingerprint& user, WallTime issued_at, const Now& now) const;
  bool denies_everybody(WallTime issued_at, const Now& now) const;

 private:
  struct Key {
    RuleKind kind;
    Fingerprint subject;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return TokenKeyHash()(key.subject) ^ static_cast<std::size_t>(key.kind);
    }
  };
  struct Kept {
    Rule rule;
    BootTime not_forgotten_before;  // its whole length from when this process learnt of it
  };

  static bool denies_issued(const Rule& rule, WallTime issued_at, const Now& now);
  static bool has_ended(const Kept& kept, const Now& now) {
    return kept.rule.until <= now.wall && kept.not_forgotten_before <= now.boot;
  }
  const Kept* find(RuleKind kind, const Fingerprint& subject) const;

  std::size_t capacity_;
  std::unordered_map<Key, Kept, KeyHash> rules_;
  std::size_t token_rules_ = 0;
};

template <class Forget>
void Revocations::expire(const Now& now, Forget&& forget) {
  for (auto at = rules_.begin(); at != rules_.end();) {
    if (!has_ended(at->second, now)) {
      ++at;
      continue;
    }
    forget(at->second.rule);
    if (at->first.kind == RuleKind::kToken) --token_rules_;
    at = rules_.erase(at);
  }
}

}  // namespace claimsd::daemon
