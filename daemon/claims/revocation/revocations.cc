#include "daemon/claims/revocation/revocations.h"

#include <algorithm>

namespace claimsd::claims {
namespace {

constexpr Duration kLookAgain = std::chrono::minutes(1);

template <class Time>
Time later_by(Time from, Duration by) {
  return by > Duration(0) && from > Time::max() - by ? Time::max() : from + by;
}

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

// Converts an end from another boot's clock to this one's.
RuleEnd begun_again(const RuleEnd& end, const Now& made_at, const Now& now) {
  if (end.wall == WallTime::min()) return end;
  RuleEnd again = end;
  if (end.wall == WallTime::max()) {
    again.boot = BootTime::max();
  } else {
    again.boot = later_by(now.boot, std::max(Duration(0), end.wall - made_at.wall));
  }
  return again;
}

BootTime boot_end(const Rule& rule) {
  return std::max(rule.ends.boot, rule.without_iat_ends.boot);
}

bool invalidates_issued(const Rule& rule, WallTime issued_at, const Now& now) {
  if (issued_at == WallTime::min()) return !rule.without_iat_ends.has_come(now);
  return issued_at < rule.not_before && !rule.ends.has_come(now);
}

}  // namespace

RuleEnd end_after(const Now& now, Duration length) {
  return {later_by(now.wall, length), later_by(now.boot, length)};
}

std::optional<Rule> after_reboot(const Rule& rule, const Now& now) {
  // Confirmations of another boot are not kept, so purges need not be either.
  if (rule.name.kind == RuleKind::kPurgeUser || rule.name.kind == RuleKind::kPurgeAllUsers)
    return std::nullopt;
  Rule again = rule;
  again.ends = begun_again(rule.ends, rule.made_at, now);
  again.without_iat_ends = begun_again(rule.without_iat_ends, rule.made_at, now);
  again.made_at.boot = now.boot;
  return again;
}

bool Revocations::add(std::span<const Rule> rules) {
  const auto needs_room = [this](const Rule& rule) {
    return !is_single(rule.name.kind) && rules_.count(rule.name) == 0;
  };
  const auto fresh =
      static_cast<std::size_t>(std::count_if(rules.begin(), rules.end(), needs_room));
  if (fresh > 0 && rules_.size() + fresh > capacity_) return false;
  for (const Rule& rule : rules) restore(rule);
  return true;
}

void Revocations::restore(const Rule& rule) {
  ++generation_;
  const auto [at, is_new] = rules_.try_emplace(rule.name, rule);
  if (is_new) {
    ++counts_[index(rule.name.kind)];
    due_.emplace(boot_end(rule), rule.name);
  } else {
    at->second = stricter(at->second, rule);
  }
}

const Rule* Revocations::find(const RuleName& name) const {
  const auto found = rules_.find(name);
  return found == rules_.end() ? nullptr : &found->second;
}

std::vector<RuleName> Revocations::expire(const Now& now) {
  std::vector<RuleName> ended;
  for (std::size_t steps = 0; steps < kMaxSteps && !due_.empty() && due_.begin()->first <= now.boot;
       ++steps) {
    const RuleName name = due_.begin()->second;
    due_.erase(due_.begin());
    const Rule& rule = rules_.at(name);
    if (rule.ends.has_come(now) && rule.without_iat_ends.has_come(now)) {
      --counts_[index(name.kind)];
      rules_.erase(name);
      ended.push_back(name);
    } else {
      // The rule was renewed since, or the wall clock is behind.
      due_.emplace(std::max(boot_end(rule), now.boot + kLookAgain), name);
    }
  }
  return ended;
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
  if (confirmed_at <= all_purged_until()) return true;
  const Rule* const rule = find({RuleKind::kPurgeUser, user});
  return rule != nullptr && confirmed_at <= rule->purged_until;
}

BootTime Revocations::all_purged_until() const {
  const Rule* const rule = find({RuleKind::kPurgeAllUsers, {}});
  return rule == nullptr ? BootTime::min() : rule->purged_until;
}

}  // namespace claimsd::claims
