#include "daemon/fleet/rules.h"

#include <algorithm>

namespace claimsd::fleet {
namespace {

using claims::Rule;
using claims::RuleEnd;
using claims::RuleKind;

std::int64_t count(WallTime time) {
  return time.time_since_epoch().count();
}

// WallTime::min() and max() keep their meaning: never, and for ever.
RuleEnd end_at(std::int64_t at, const Now& now, WallTime fleet_now) {
  const WallTime end = wall_time(at);
  if (end == WallTime::min()) return {};
  if (end == WallTime::max()) return {end, BootTime::max()};
  const RuleEnd after = claims::end_after(now, std::max(Duration(0), end - fleet_now));
  return {end, after.boot};
}

bool is_valid(const proto::FleetRule& rule) {
  return rule.kind >= static_cast<std::uint8_t>(RuleKind::kToken) &&
         rule.kind <= static_cast<std::uint8_t>(RuleKind::kPurgeAllUsers);
}

}  // namespace

proto::FleetAction action_of(std::span<const Rule> rules) {
  const Rule& first = rules.front();
  proto::FleetAction action{.id = first.key.action.bytes,
                            .author = first.author.bytes,
                            .actor_uid = first.actor_uid,
                            .made_at = count(first.made_at.wall)};
  for (const Rule& rule : rules)
    action.rules.push_back({.kind = static_cast<std::uint8_t>(rule.name.kind),
                            .subject = rule.name.subject.bytes,
                            .ends = count(rule.ends.wall),
                            .not_before = count(rule.not_before),
                            .without_iat_ends = count(rule.without_iat_ends.wall)});
  return action;
}

proto::FleetWithdrawal withdrawal_of(const claims::Withdrawal& withdrawal) {
  return {.action = withdrawal.action.bytes,
          .author = withdrawal.author.bytes,
          .actor_uid = withdrawal.actor_uid,
          .made_at = count(withdrawal.made_at.wall),
          .ends = count(withdrawal.ends.wall)};
}

std::optional<std::vector<Rule>> rules_of(const proto::FleetAction& action, const Now& now,
                                          WallTime fleet_now) {
  if (action.rules.empty()) return std::nullopt;
  std::vector<Rule> rules;
  for (const proto::FleetRule& one : action.rules) {
    if (!is_valid(one)) return std::nullopt;
    Rule rule{.key = {{action.id}, static_cast<std::uint8_t>(rules.size())},
              .name = {static_cast<RuleKind>(one.kind), {one.subject}},
              .made_at = {now.boot, wall_time(action.made_at)},
              .ends = end_at(one.ends, now, fleet_now),
              .not_before = wall_time(one.not_before),
              .without_iat_ends = end_at(one.without_iat_ends, now, fleet_now),
              .actor_uid = action.actor_uid,
              .author = {action.author}};
    if (claims::is_purge(rule.name.kind))
      rule.purged_until =
          now.boot + std::min(kPurgeSkew, wall_time(action.made_at) + kPurgeSkew - fleet_now);
    rules.push_back(rule);
  }
  return rules;
}

claims::Withdrawal withdrawal_of(const proto::FleetWithdrawal& withdrawal, const Now& now,
                                 WallTime fleet_now) {
  return {.action = {withdrawal.action},
          .made_at = {now.boot, wall_time(withdrawal.made_at)},
          .ends = end_at(withdrawal.ends, now, fleet_now),
          .actor_uid = withdrawal.actor_uid,
          .author = {withdrawal.author}};
}

WallTime end_of(const proto::FleetAction& action) {
  std::int64_t end = count(WallTime::min());
  for (const proto::FleetRule& rule : action.rules)
    end = std::max({end, rule.ends, rule.without_iat_ends});
  return wall_time(end);
}

}  // namespace claimsd::fleet
