// revocations.h: what an operator has taken back, whatever the Auth API says.
//
//   token       one token, until its `exp`, or for as long as was asked where it has none
//   user        a user's tokens issued before a moment; logging in again works
//   lock        a user altogether, until a moment
//   everybody   all tokens issued before a moment
//   forget...   confirmations of a user, or of everybody, from before a moment count for nothing:
//               a purge, which denies nobody
//
// Every rule ends by itself, but only when *both* clocks say so: a wall clock that was wrong for a
// while lets nobody in again. A token without `iat` counts as issued before any moment, until
// `undated_ends` of the rule. Two rules about one subject become one that denies whatever either
// did. Bounded: what does not fit is refused, nothing is ever forgotten to make room. Pure; loop
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

// Of a token or a user: an HMAC under the revocations' own key, which no rotation, reload or reboot
// touches.
using Fingerprint = TokenKey;

class Fingerprinter {
 public:
  virtual ~Fingerprinter() = default;
  virtual Fingerprint of_token(std::string_view token) = 0;
  // `user`: the id claim.
  virtual Fingerprint of_user(UpstreamId upstream, std::string_view user) = 0;
};

// Values are those of the file: never renumbered.
enum class RuleKind : std::uint8_t {
  kToken = 1,
  kUser = 2,
  kLock = 3,
  kEverybody = 4,
  kForgetUser = 5,
  kForgetEverybody = 6,
};

struct RuleName {
  RuleKind kind = RuleKind::kToken;
  Fingerprint subject;  // zeros for everybody
  bool operator==(const RuleName&) const = default;
};

// Has come when both clocks have passed it.
struct RuleEnd {
  WallTime wall = WallTime::min();
  BootTime boot = BootTime::min();
  bool has_come(const Now& now) const { return wall <= now.wall && boot <= now.boot; }
};

struct Rule {
  RuleName name;
  Now made_at{};
  RuleEnd ends;
  WallTime not_before = WallTime::min();  // kUser, kEverybody: tokens issued earlier are denied
  RuleEnd undated_ends;  // kUser, kEverybody: until then, so are tokens that don't say when
  // kForget...: confirmations whose requests started by then count for nothing.
  BootTime forget_until = BootTime::min();
};

// `length` from now, on both clocks.
RuleEnd end_after(const Now& now, Duration length);

// A rule as a daemon of another boot finds it: its whole length begins again, since nobody knows
// what the wall clock did in between. None: it means nothing any more.
std::optional<Rule> after_reboot(const Rule& rule, const Now& now);

// Where rules outlive the daemon. Loop thread.
class RevocationLog {
 public:
  using Done = std::function<void(bool durable)>;
  virtual ~RevocationLog() = default;
  // Takes the place of what was kept under the same names. `done` is called once, later, never from
  // within; not at all once the log is destroyed.
  virtual void keep(std::vector<Rule> rules, Done done) = 0;
  // They have ended.
  virtual void drop(std::vector<RuleName> names) = 0;
};

class Revocations {
 public:
  explicit Revocations(std::size_t capacity) : capacity_(capacity) {}

  // All or nothing; takes effect at once. False when there is no room: nothing has changed.
  bool add(std::span<const Rule> rules);
  // A rule that was kept from an earlier run: there is always room for it.
  void restore(const Rule& rule);
  // The rule that stands under a name now; null: none.
  const Rule* find(const RuleName& name) const;
  // Forgets some of what has ended, and says what that was. Looks at so many rules at most.
  static constexpr std::size_t kMostSteps = 256;
  std::vector<RuleName> expire(const Now& now);

  bool has_token_rules() const { return counts_[index(RuleKind::kToken)] > 0; }
  // Rules about who somebody is.
  bool has_user_rules() const { return rules_.size() > counts_[index(RuleKind::kToken)]; }
  std::size_t size() const { return rules_.size(); }
  // Another number after each change that could deny more than before; never 0.
  std::uint64_t generation() const { return generation_; }

  bool denies_token(const Fingerprint& token, const Now& now) const;
  // Is a user's token with this `iat` (WallTime::min(): none) denied?
  bool denies_user(const Fingerprint& user, WallTime issued_at, const Now& now) const;
  // Does a confirmation of that user from then count for nothing?
  bool forgets(const Fingerprint& user, BootTime confirmed_at) const;
  // The last moment that everybody was purged at.
  BootTime forgets_everybody_until() const;

 private:
  struct NameHash {
    std::size_t operator()(const RuleName& name) const {
      return TokenKeyHash()(name.subject) ^ static_cast<std::size_t>(name.kind);
    }
  };
  static std::size_t index(RuleKind kind) { return static_cast<std::size_t>(kind); }
  // There is one of these at most, so they need no share of the capacity.
  static bool is_single(RuleKind kind) {
    return kind == RuleKind::kEverybody || kind == RuleKind::kForgetEverybody;
  }

  std::size_t capacity_;
  std::multimap<BootTime, RuleName> due_;  // when to look whether each rule has ended
  std::unordered_map<RuleName, Rule, NameHash> rules_;
  std::array<std::size_t, 7> counts_{};  // by kind
  std::uint64_t generation_ = 1;
};

}  // namespace claimsd::daemon
