// host_table.h: the hosts of the fleet, from the rows that each of them writes.
//
// A row is replaced by a newer one only, so a replay changes nothing. A host stays in the table until
// it has written nothing for kHostRetention: as long as that it may come back with what it missed, so
// it counts as a host where an action is not in effect. Bounded by kMaxHosts. Loop thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "daemon/base/clock.h"
#include "proto/fleet_messages.h"

namespace claimsd::fleet {

inline constexpr std::size_t kMaxHosts = 16'384;
inline constexpr Duration kHostRetention = std::chrono::hours(30 * 24);

class HostTable {
 public:
  using HostKey = proto::FleetId;

  enum class Put : std::uint8_t { kNew, kNewer, kOld, kFull };
  Put put(const HostKey& host, proto::FleetRow row, WallTime redis_now);
  // Removes hosts without a recent row, and returns them.
  std::vector<HostKey> expire(WallTime redis_now);

  std::size_t size() const { return hosts_.size(); }
  bool holds(const HostKey& host) const { return hosts_.count(host) != 0; }
  // Null: not in the table. Valid until the next change.
  const proto::FleetRow* find(const HostKey& host) const {
    const auto found = hosts_.find(host);
    return found == hosts_.end() ? nullptr : &found->second;
  }
  template <class Condition>
  bool all(Condition&& condition) const {
    return std::all_of(hosts_.begin(), hosts_.end(),
                       [&](const auto& one) { return condition(one.first); });
  }
  template <class Visit>
  void each(Visit&& visit) const {
    for (const auto& [host, row] : hosts_) visit(host, row);
  }

 private:
  std::map<HostKey, proto::FleetRow> hosts_;
};

}  // namespace claimsd::fleet
