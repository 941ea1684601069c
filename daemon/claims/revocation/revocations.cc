#include "daemon/claims/revocation/revocations.h"

#include <algorithm>

namespace claimsd::claims {
namespace {

constexpr Duration kLookAgain = std::chrono::minutes(1);

RuleEnd later(const RuleEnd& a, const RuleEnd& b) {
  return {std::max(a.wall, b.wall), std::max(a.boot, b.boot)};
}

// Merges two rules: whatever either invalidates, for as long as either does.
Rule stricter(const Rule& a, const Rule& b) {
  Rule merged = b;
  merged.ends = later(a.ends, b.ends);
  merged.not_before = std::max(a.not_before, b.not_before);
  merged.without_iat_ends = later(a.without_iat_ends, b.without_iat_ends);
  merged.purged_until = std::max(a.purged_until, b.purged_until);
  return merged;
}

BootTime boot_end(const Rule& rule) {
  return std::max(rule.ends.boot, rule.without_iat_ends.boot);
}

bool is_about_all_users(const Rule& rule) {
  return rule.name.kind == RuleKind::kAllUsers || rule.name.kind == RuleKind::kPurgeAllUsers;
}

bool is_of_host(const Rule& rule) {
  return rule.author == HostId{} && !is_about_all_users(rule);
}

bool invalidates_issued(const Rule& rule, WallTime issued_at, const Now& now) {
  if (issued_at == WallTime::min()) return !rule.without_iat_ends.has_come(now);
  return issued_at < rule.not_before && !rule.ends.has_come(now);
}

}  // namespace

std::optional<std::vector<RuleKey>> Revocations::add(std::span<const Rule> rules) {
  std::vector<RuleKey> replaced;
  for (const Rule& rule : rules) {
    const auto earlier = merged_.find(rule.name);
    if (!is_purge(rule.name.kind) || earlier == merged_.end()) continue;
    replaced.insert(replaced.end(), earlier->second.of.begin(), earlier->second.of.end());
  }
  const bool reserve = std::all_of(rules.begin(), rules.end(), is_about_all_users);
  const std::size_t limit = capacity_ + (reserve ? kReserve : 0);
  if (rules_.size() + rules.size() > limit + replaced.size()) return std::nullopt;
  for (const RuleKey& key : replaced) remove(key);
  for (const Rule& rule : rules) restore(rule);
  return replaced;
}

void Revocations::restore(const Rule& rule) {
  ++generation_;
  if (!rules_.try_emplace(rule.key, rule).second) return;
  due_.emplace(boot_end(rule), Due{.key = rule.key});
  if (withdrawal_of(rule.key.action) == nullptr) put_in_force(rule);
}

void Revocations::restore(const Withdrawal& withdrawal) {
  if (!withdrawals_.try_emplace(withdrawal.action, withdrawal).second) return;
  due_.emplace(withdrawal.ends.boot, Due{.key = {withdrawal.action, 0}, .is_withdrawal = true});
  for (const auto& [key, rule] : rules_of(withdrawal.action)) take_from_force(rule);
}

WithdrawOutcome Revocations::withdraw(const ActionId& action, std::uint32_t actor_uid,
                                      const Now& now, Withdrawal& made, const HostId& author) {
  if (withdrawal_of(action) != nullptr) return WithdrawOutcome::kEarlier;
  made = {.action = action, .made_at = now, .actor_uid = actor_uid};
  const auto rules = rules_of(action);
  if (rules.empty()) return WithdrawOutcome::kUnknown;
  // An action of the fleet is withdrawn everywhere, one of this host here.
  if (rules.begin()->second.author != HostId{}) made.author = author;
  for (const auto& [key, rule] : rules) {
    if (is_purge(rule.name.kind)) return WithdrawOutcome::kNoEffect;
    made.ends = later(made.ends, later(rule.ends, rule.without_iat_ends));
  }
  restore(made);
  return WithdrawOutcome::kDone;
}

const Withdrawal* Revocations::withdrawal_of(const ActionId& action) const {
  const auto found = withdrawals_.find(action);
  return found == withdrawals_.end() ? nullptr : &found->second;
}

void Revocations::put_in_force(const Rule& rule) {
  ++in_force_;
  if (is_of_host(rule)) ++host_rules_;
  const auto [at, is_new] = merged_.try_emplace(rule.name, InForce{rule, {}});
  if (is_new) {
    ++counts_[index(rule.name.kind)];
  } else {
    at->second.merged = stricter(at->second.merged, rule);
  }
  at->second.of.push_back(rule.key);
}

std::size_t Revocations::take_from_force(const Rule& rule) {
  const auto at = merged_.find(rule.name);
  if (at == merged_.end()) return 0;
  std::vector<RuleKey>& of = at->second.of;
  const auto own = std::find(of.begin(), of.end(), rule.key);
  if (own == of.end()) return 0;
  --in_force_;
  if (is_of_host(rule)) --host_rules_;
  of.erase(own);
  if (of.empty()) {
    --counts_[index(rule.name.kind)];
    merged_.erase(at);
    return 0;
  }
  at->second.merged = rules_.at(of.front());
  for (const RuleKey& key : of) at->second.merged = stricter(at->second.merged, rules_.at(key));
  return of.size();
}

std::size_t Revocations::remove(const RuleKey& key) {
  const auto at = rules_.find(key);
  if (at == rules_.end()) return 0;
  const std::size_t steps = take_from_force(at->second);
  rules_.erase(at);
  return steps;
}

const Rule* Revocations::find(const RuleName& name) const {
  const auto found = merged_.find(name);
  return found == merged_.end() ? nullptr : &found->second.merged;
}

RevocationChange Revocations::expire(const Now& now) {
  RevocationChange ended;
  for (std::size_t steps = 0; steps < kMaxSteps && !due_.empty() && due_.begin()->first <= now.boot;
       ++steps) {
    const Due due = due_.begin()->second;
    due_.erase(due_.begin());
    const bool gone = due.is_withdrawal ? expire_withdrawal(due, now, ended)
                                        : expire_rule(due, now, steps, ended);
    // The wall clock is behind, or the withdrawn action is still stored.
    if (!gone) due_.emplace(now.boot + kLookAgain, due);
  }
  return ended;
}

bool Revocations::expire_rule(const Due& due, const Now& now, std::size_t& steps,
                              RevocationChange& ended) {
  const auto rule = rules_.find(due.key);
  if (rule == rules_.end()) return true;  // it was replaced
  if (!rule->second.has_ended(now)) return false;
  ended.ended_rules.push_back(due.key);
  steps += remove(due.key);
  return true;
}

bool Revocations::expire_withdrawal(const Due& due, const Now& now, RevocationChange& ended) {
  const auto found = withdrawals_.find(due.key.action);
  if (found == withdrawals_.end()) return true;
  if (!found->second.ends.has_come(now) || !rules_of(due.key.action).empty()) return false;
  ended.ended_withdrawals.push_back(due.key.action);
  withdrawals_.erase(found);
  return true;
}

bool Revocations::invalidates_token(const Fingerprint& token, const Now& now) const {
  const Rule* const rule = find({RuleKind::kToken, token});
  return rule != nullptr && !rule->ends.has_come(now);
}

bool Revocations::invalidates_user(const Fingerprint& user, WallTime issued_at,
                                   const Now& now) const {
  if (const Rule* const lock = find({RuleKind::kLock, user}); lock && !lock->ends.has_come(now))
    return true;
  if (const Rule* const rule = find({RuleKind::kUser, user});
      rule && invalidates_issued(*rule, issued_at, now))
    return true;
  const Rule* const all_users = find({RuleKind::kAllUsers, {}});
  return all_users != nullptr && invalidates_issued(*all_users, issued_at, now);
}

bool Revocations::is_purged(const Fingerprint& user, BootTime confirmed_at) const {
  const Rule* const all = find({RuleKind::kPurgeAllUsers, {}});
  if (all != nullptr && confirmed_at <= all->purged_until) return true;
  const Rule* const rule = find({RuleKind::kPurgeUser, user});
  return rule != nullptr && confirmed_at <= rule->purged_until;
}

}  // namespace claimsd::claims
