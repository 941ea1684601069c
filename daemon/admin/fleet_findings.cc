#include "daemon/admin/fleet_findings.h"

#include <fmt/core.h>

#include "daemon/admin/status_json.h"
#include "daemon/fleet/limits.h"

namespace claimsd::admin {
namespace {

using fleet::Currency;

std::string effect(const FleetStatus& fleet) {
  if (!fleet.replica.answers) return "it answers every query unavailable";
  return "revocations of other hosts may be missing here, and it answers queries nevertheless";
}

// Why, and what to do.
std::pair<std::string, std::string> cause(const FleetStatus& fleet) {
  switch (fleet.replica.currency) {
    case Currency::kCurrent: break;
    case Currency::kDisconnected:
      return {fmt::format("there is no connection to Redis: {}",
                          fleet.error.empty() ? "no attempt has ended yet" : fleet.error),
              "check that Redis runs and that this host reaches it"};
    case Currency::kNeverCurrent:
      return {"it has not received the state of the fleet yet",
              "wait some seconds; if no other host is current, this is a new fleet: set fleet.join "
              "= \"serve\" on one host and restart claimsd there"};
    case Currency::kNoPulse:
      return {fmt::format("no host has written a pulse in the last {} s",
                          in_seconds(fleet::kPulseLimit)),
              "find out with claimsctl fleet which hosts run, and check that Redis accepts writes"};
    case Currency::kClockDiffers:
      return {"the pulses do not have the time of Redis",
              "check the clock of the Redis host (timedatectl); replayed pulses look the same"};
    case Currency::kBehind:
      return {"it lacks actions that another host has",
              "wait some seconds: the hosts exchange what is missing; if this persists, read the "
              "log: journalctl -u claimsd"};
    case Currency::kTooOld:
      return {"a host with a newer version sent what this version does not understand",
              "upgrade claimsd on this host"};
    case Currency::kFull:
      return {"there is no room for a received action",
              "raise revocations.max_entries and restart claimsd"};
    case Currency::kHostIdShared:
      return {"another host has the same host id",
              fmt::format("on the host that is the copy: stop claimsd, remove {}, start it",
                          fleet.host_file)};
  }
  return {};
}

bool lacks_permission(const std::string& error) {
  return error.find("NOPERM") != std::string::npos;
}

void assess_clock(const FleetStatus& fleet, std::vector<Finding>& findings) {
  const auto ahead = fleet.replica.clock_ahead;
  if (!ahead || std::chrono::abs(*ahead) < kClockMatters) return;
  const double apart = in_seconds(std::chrono::abs(*ahead));
  findings.push_back(
      {"fleet_clock",
       fmt::format("the clock of this host is {:.0f} s {} the fleet's, which is that of Redis",
                   apart, *ahead > Duration(0) ? "ahead of" : "behind"),
       "correct the clock (timedatectl): a user's tokens are revoked by the time of their issue"});
}

void assess_redis_user(const FleetStatus& fleet, std::vector<Finding>& findings) {
  const std::string fix = fmt::format("set its ACL to: {}", acl_line(fleet.user, fleet.name));
  if (!fleet.excess.empty())
    findings.push_back({"fleet_user_excess",
                        fmt::format("the Redis user of the fleet may {}", fleet.excess), fix});
  if (lacks_permission(fleet.error) || lacks_permission(fleet.write_error)) {
    findings.push_back({"fleet_user_lacks",
                        fmt::format("the Redis user of the fleet may do too little: {}",
                                    fleet.write_error.empty() ? fleet.error : fleet.write_error),
                        fix});
  } else if (!fleet.write_error.empty()) {
    findings.push_back({"fleet_write_refused",
                        fmt::format("Redis refuses writes of the fleet: {}", fleet.write_error),
                        "free memory of Redis, or repair its replicas or its disk"});
  }
}

}  // namespace

std::string acl_line(const std::string& user, const std::string& fleet) {
  return fmt::format(
      "user {} on >PASSWORD ~{{claimsd:{}}}:* -@all +xadd +xread +xrevrange +hset +hdel +hlen "
      "+hscan +multi +exec +time +role",
      user.empty() ? "claimsd" : user, fleet);
}

void assess_fleet(const FleetStatus& fleet, std::vector<Finding>& findings) {
  if (!fleet.on) return;
  if (fleet.replica.currency == Currency::kHostIdShared) {
    auto [why, hint] = cause(fleet);
    findings.push_back({"fleet_host_id_shared",
                        fmt::format("two hosts share a host id: {}; {}", why, effect(fleet)), hint,
                        !fleet.replica.answers});
  } else if (fleet.replica.currency != Currency::kCurrent) {
    auto [why, hint] = cause(fleet);
    findings.push_back({"fleet_not_current",
                        fmt::format("this host is not current in fleet {}: {}; {}", fleet.name, why,
                                    effect(fleet)),
                        hint, !fleet.replica.answers});
  }
  assess_clock(fleet, findings);
  assess_redis_user(fleet, findings);
}

}  // namespace claimsd::admin
