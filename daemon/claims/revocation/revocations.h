// revocations.h: the purge and revocation rules in force. They override the Auth API.
//
//   token       one token, until its `exp`; without `exp`, for the requested time
//   user        a user's tokens issued before a given time; the user may log in again
//   lock        all of a user's tokens, until a given time
//   all users   all tokens issued before a given time
//   purges      ignore confirmations of a user, or of all users, from before a given time;
//               invalidate no token
//
// Every rule expires, but only when *both* clocks agree: a wall clock that is temporarily wrong
// must not restore access. A token without `iat` counts as issued before any time, until the rule's
// `without_iat_ends`.
//
// Rules are kept singly (rule.h). For lookups, the rules of one name whose actions are not
// withdrawn are merged into one: whatever any of them invalidates, for as long as any does. A later
// purge replaces an earlier one with the same name. Bounded: a rule that does not fit is refused; no
// rule is evicted. Pure; loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "daemon/claims/revocation/rule.h"

namespace claimsd::claims {

enum class WithdrawOutcome : std::uint8_t {
  kDone,
  kUnknown,   // no action in force has this id
  kEarlier,   // it is withdrawn already
  kNoEffect,  // a purge: there is nothing to withdraw
};

class Revocations {
 public:
  explicit Revocations(std::size_t capacity) : capacity_(capacity) {}

  // Room beyond the capacity for rules about all users, so that an operator can still invalidate
  // everything when the capacity is used up.
  static constexpr std::size_t kReserve = 64;

  // Adds all rules of an action or none; takes effect immediately. Returns the purges that these
  // replace, or nullopt if there is no room: then nothing has changed.
  std::optional<std::vector<RuleKey>> add(std::span<const Rule> rules);
  // Withdraws an action. On kDone, `made` is to be stored.
  WithdrawOutcome withdraw(const ActionId& action, std::uint32_t actor_uid, const Now& now,
                           Withdrawal& made, const HostId& author = {});
  // Adds what was loaded from storage, in any order, regardless of the capacity.
  void restore(const Rule& rule);
  void restore(const Withdrawal& withdrawal);

  // The rule in force with this name, merged from all actions, or null.
  const Rule* find(const RuleName& name) const;
  // Removes expired rules and withdrawals, and returns which. Visits about kMaxSteps per call.
  static constexpr std::size_t kMaxSteps = 256;
  RevocationChange expire(const Now& now);

  bool has_token_rules() const { return counts_[index(RuleKind::kToken)] > 0; }
  // Rules that depend on the user's identity.
  bool has_user_rules() const { return merged_.size() > counts_[index(RuleKind::kToken)]; }
  // Rules in force that only this host has (HostId zeros). With a fleet, they name their subjects by
  // another fingerprint than those of the fleet.
  bool has_host_rules() const { return host_rules_ > 0; }
  // Rules whose actions are not withdrawn.
  std::size_t size() const { return in_force_; }
  // All rules that use up the capacity.
  std::size_t stored() const { return rules_.size(); }
  // Changes whenever a rule is added; never 0.
  std::uint64_t generation() const { return generation_; }

  bool invalidates_token(const Fingerprint& token, const Now& now) const;
  // True if the user's token with this `iat` (WallTime::min(): none) is revoked.
  bool invalidates_user(const Fingerprint& user, WallTime issued_at, const Now& now) const;
  // True if the user's confirmation from that time was purged.
  bool is_purged(const Fingerprint& user, BootTime confirmed_at) const;

  const Withdrawal* withdrawal_of(const ActionId& action) const;
  // Visits stored rules by action, from the first action after `after`; all rules of one action
  // come together. Ends when `visit` returns false.
  template <class Visit>
  void each(const std::optional<ActionId>& after, Visit&& visit) const {
    auto at = after ? rules_.upper_bound({*after, 0xff}) : rules_.begin();
    for (; at != rules_.end() && visit(at->second); ++at) continue;
  }

 private:
  struct NameHash {
    std::size_t operator()(const RuleName& name) const {
      return TokenKeyHash()(name.subject) ^ static_cast<std::size_t>(name.kind);
    }
  };
  struct InForce {
    Rule merged;
    std::vector<RuleKey> of;
  };
  struct Due {
    RuleKey key;
    bool is_withdrawal = false;
  };
  static std::size_t index(RuleKind kind) { return static_cast<std::size_t>(kind); }
  void put_in_force(const Rule& rule);
  // Returns how many rules had to be merged again.
  std::size_t take_from_force(const Rule& rule);
  std::size_t remove(const RuleKey& key);
  struct ActionRules {
    using Iterator = std::map<RuleKey, Rule>::const_iterator;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
    bool empty() const { return first == last; }
    Iterator first;
    Iterator last;
  };
  ActionRules rules_of(const ActionId& action) const {
    return {rules_.lower_bound({action, 0}), rules_.upper_bound({action, 0xff})};
  }
  bool expire_rule(const Due& due, const Now& now, std::size_t& steps, RevocationChange& ended);
  bool expire_withdrawal(const Due& due, const Now& now, RevocationChange& ended);

  std::size_t capacity_;
  std::map<RuleKey, Rule> rules_;
  std::map<ActionId, Withdrawal> withdrawals_;
  std::unordered_map<RuleName, InForce, NameHash> merged_;
  std::multimap<BootTime, Due> due_;  // when to check next what has expired
  std::size_t in_force_ = 0;
  std::size_t host_rules_ = 0;           // in force, with a subject
  std::array<std::size_t, 7> counts_{};  // of merged_, indexed by RuleKind
  std::uint64_t generation_ = 1;
};

}  // namespace claimsd::claims
