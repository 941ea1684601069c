// rule.h: what an operator's purge or revocation consists of, as stored and exchanged.
//
// One order is one *action*: one or more rules that share an ActionId. Rules are stored singly and
// never merged, so that an action can be withdrawn. A withdrawal names an action and is kept until
// the end of that action. The rules in force are those of all actions without a withdrawal: the
// union of two sets of actions and withdrawals is again one, whatever the order. Plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
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
  // `name`: the text that names the token (parse/token_name.h).
  virtual Fingerprint of_token(std::string_view name) = 0;
  // `user`: the id claim.
  virtual Fingerprint of_user(UpstreamId upstream, std::string_view user) = 0;
};

// Random, so unique without coordination.
struct ActionId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const ActionId&) const = default;
};

// 32 hexadecimal digits, and back. Nullopt unless `text` is exactly that.
std::string text_of(const ActionId& id);
std::optional<ActionId> action_id_of(std::string_view text);

// Values are part of the file format: never renumber.
enum class RuleKind : std::uint8_t {
  kToken = 1,
  kUser = 2,
  kLock = 3,
  kAllUsers = 4,
  kPurgeUser = 5,
  kPurgeAllUsers = 6,
};

constexpr bool is_purge(RuleKind kind) {
  return kind == RuleKind::kPurgeUser || kind == RuleKind::kPurgeAllUsers;
}

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

// `length` from now, on both clocks.
RuleEnd end_after(const Now& now, Duration length);

// Identifies a rule: its action, and its position in that action.
struct RuleKey {
  ActionId action;
  std::uint8_t part = 0;
  auto operator<=>(const RuleKey&) const = default;
};

// Identifies a host of the fleet. Random, made once. Zeros: a rule that only this host has.
struct HostId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const HostId&) const = default;
};

inline constexpr std::uint32_t kUnknownActor = 0xffffffff;  // no user can have it: setuid(2)

struct Rule {
  RuleKey key;
  RuleName name;
  Now made_at{};
  RuleEnd ends;
  WallTime not_before = WallTime::min();  // kUser, kAllUsers: tokens issued earlier are invalid
  // kUser, kAllUsers: until then, tokens without `iat` are invalid as well.
  RuleEnd without_iat_ends;
  // Purges: confirmations whose requests started at or before this time are ignored.
  BootTime purged_until = BootTime::min();
  std::uint32_t actor_uid = kUnknownActor;
  HostId author;

  bool has_ended(const Now& now) const {
    return ends.has_come(now) && without_iat_ends.has_come(now);
  }
};

struct Withdrawal {
  ActionId action;
  Now made_at{};
  RuleEnd ends;  // when the last rule of the action ends
  std::uint32_t actor_uid = kUnknownActor;
  HostId author;
};

// Converts what was stored during another boot. The whole length starts again, because the wall
// clock's steps in between are unknown. Nullopt: the rule no longer applies.
std::optional<Rule> after_reboot(const Rule& rule, const Now& now);
Withdrawal after_reboot(const Withdrawal& withdrawal, const Now& now);

// One transaction of the stored set: additions first, then removals.
struct RevocationChange {
  std::vector<Rule> rules;  // added, or replaced
  std::vector<Withdrawal> withdrawals;
  std::vector<RuleKey> ended_rules;  // removed
  std::vector<ActionId> ended_withdrawals;

  bool empty() const {
    return rules.empty() && withdrawals.empty() && ended_rules.empty() && ended_withdrawals.empty();
  }
  void append(RevocationChange later);
};

// Persists changes across restarts, in order. Loop thread.
class RevocationLog {
 public:
  // `durable`: on disk. False: in effect only until the daemon stops; the log keeps trying to write
  // it.
  using Done = std::function<void(bool durable)>;
  virtual ~RevocationLog() = default;
  // Calls `done`, if there is one, once, never from within write(), and not at all after the log is
  // destroyed.
  virtual void write(RevocationChange change, Done done) = 0;
};

}  // namespace claimsd::claims
