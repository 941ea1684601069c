// rules.h: converts between the daemon's rules, whose ends are on this host's clocks, and items,
// whose times are absolute.
//
// Ends are absolute, so a repeated item never prolongs a rule. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "daemon/claims/revocation/rule.h"
#include "daemon/fleet/item_set.h"

namespace claimsd::fleet {

// Purges also cover confirmations that a host with a clock this far ahead dates after the purge.
inline constexpr Duration kPurgeSkew = seconds(2);

// A time of a message, which counts nanoseconds.
inline WallTime wall_time(std::int64_t count) {
  return WallTime(Duration(count));
}

// All rules of one action, by part.
proto::FleetAction action_of(std::span<const claims::Rule> rules);
proto::FleetWithdrawal withdrawal_of(const claims::Withdrawal& withdrawal);

// Of a message that was decoded. `fleet_now`: the time of Redis. Nullopt if a kind is not valid.
std::optional<std::vector<claims::Rule>> rules_of(const proto::FleetAction& action, const Now& now,
                                                  WallTime fleet_now);
claims::Withdrawal withdrawal_of(const proto::FleetWithdrawal& withdrawal, const Now& now,
                                 WallTime fleet_now);

// When the last rule ends.
WallTime end_of(const proto::FleetAction& action);
inline WallTime end_of(const proto::FleetWithdrawal& withdrawal) {
  return wall_time(withdrawal.ends);
}

}  // namespace claimsd::fleet
