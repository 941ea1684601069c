// revocations.h: the revocation and purge rules. They override the Auth API.
//
//   token       one token, until its `exp`; without `exp`, for the requested time
//   user        a user's tokens issued before a given time; the user may log in again
//   lock        all of a user's tokens, until a given time
//   everybody   all tokens issued before a given time
//   forget...   a purge: ignores confirmations of a user, or of all users, from before a given
//               time; invalidates no token
//
// Every rule expires, but only when *both* clocks agree: a wall clock that is temporarily wrong
// must not restore access. A token without `iat` counts as issued before any time, until the rule's
// `without_iat_ends`. Rules with the same kind and subject are merged, and the stricter value wins.
// Bounded: a rule that does not fit is refused; no rule is evicted. Pure; loop thread.
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

namespace claimsd::claims {

// Fingerprint of a token or a user: an HMAC under the revocations' own key. That key survives key
// rotation, reload and reboot.
using Fingerprint = TokenKey;

class Fingerprinter {
 public:
  virtual ~Fingerprinter() = default;
  virtual Fingerprint of_token(std::string_view token) = 0;
  // `user`: the id claim.
  virtual Fingerprint of_user(UpstreamId upstream, std::string_view user) = 0;
};

// Values are part of the file format: never renumber.
enum class RuleKind : std::uint8_t {
  kToken = 1,
  kUser = 2,
  kLock = 3,
  kAllUsers = 4,
  kPurgeUser = 5,
  kPurgeAllUsers = 6,
};

struct RuleName {
  RuleKind kind = RuleKind::kToken;
  Fingerprint subject;  // zeros for kAllUsers and kPurgeAllUsers
  bool operator==(const RuleName&) const = default;
};

// Has come when both clocks have reached it.
struct RuleEnd {
  WallTime wall = WallTime::min();
  BootTime boot = BootTime::min();
  bool has_come(const Now& now) const { return wall <= now.wall && boot <= now.boot; }
};

struct Rule {
  RuleName name;
  Now made_at{};
  RuleEnd ends;
  WallTime not_before = WallTime::min();  // kUser, kAllUsers: tokens issued earlier are invalid
  RuleEnd
      without_iat_ends;  // kUser, kAllUsers: until then, tokens without `iat` are invalid as well
  // kForget...: confirmations whose requests started at or before this time are ignored.
  BootTime purged_until = BootTime::min();
};

// `length` from now, on both clocks.
RuleEnd end_after(const Now& now, Duration length);

// Converts a rule from another boot. Its whole length starts again, because the wall clock's steps
// in between are unknown. Nullopt: the rule no longer applies.
std::optional<Rule> after_reboot(const Rule& rule, const Now& now);

// Persists rules across restarts. Loop thread.
class RevocationLog {
 public:
  using Done = std::function<void(bool durable)>;
  virtual ~RevocationLog() = default;
  // Replaces stored rules of the same names. Calls `done` once, never from within keep(), and not
  // at all after the log is destroyed.
  virtual void keep(std::vector<Rule> rules, Done done) = 0;
  // Removes rules that have expired.
  virtual void drop(std::vector<RuleName> names) = 0;
};

class Revocations {
 public:
  explicit Revocations(std::size_t capacity) : capacity_(capacity) {}

  // Adds all rules or none; takes effect immediately. False: no room, nothing has changed.
  bool add(std::span<const Rule> rules);
  // Adds a rule that was loaded from storage, regardless of the capacity.
  void restore(const Rule& rule);
  // The current rule with this name, or null.
  const Rule* find(const RuleName& name) const;
  // Removes expired rules and returns their names. Looks at up to kMaxSteps rules per call.
  static constexpr std::size_t kMaxSteps = 256;
  std::vector<RuleName> expire(const Now& now);

  bool has_token_rules() const { return counts_[index(RuleKind::kToken)] > 0; }
  // Rules that depend on the user's identity.
  bool has_user_rules() const { return rules_.size() > counts_[index(RuleKind::kToken)]; }
  std::size_t size() const { return rules_.size(); }
  // Changes whenever a rule is added; never 0.
  std::uint64_t generation() const { return generation_; }

  bool invalidates_token(const Fingerprint& token, const Now& now) const;
  // True if the user's token with this `iat` (WallTime::min(): none) is revoked.
  bool invalidates_user(const Fingerprint& user, WallTime issued_at, const Now& now) const;
  // True if the user's confirmation from that time was purged.
  bool is_purged(const Fingerprint& user, BootTime confirmed_at) const;
  // Time of the last purge of all users.
  BootTime all_purged_until() const;

 private:
  struct NameHash {
    std::size_t operator()(const RuleName& name) const {
      return TokenKeyHash()(name.subject) ^ static_cast<std::size_t>(name.kind);
    }
  };
  static std::size_t index(RuleKind kind) { return static_cast<std::size_t>(kind); }
  // At most one rule of these kinds exists, so they do not count against the capacity.
  static bool is_single(RuleKind kind) {
    return kind == RuleKind::kAllUsers || kind == RuleKind::kPurgeAllUsers;
  }

  std::size_t capacity_;
  std::multimap<BootTime, RuleName> due_;  // when to check next whether a rule has expired
  std::unordered_map<RuleName, Rule, NameHash> rules_;
  std::array<std::size_t, 7> counts_{};  // indexed by RuleKind
  std::uint64_t generation_ = 1;
};

}  // namespace claimsd::claims
