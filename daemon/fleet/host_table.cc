#include "daemon/fleet/host_table.h"

#include <iterator>
#include <utility>

namespace claimsd::fleet {
namespace {

// A row from further ahead is not plausible: it would stay the newest for too long.
constexpr Duration kMaxAhead = std::chrono::minutes(1);

WallTime time_of(const proto::FleetRow& row) {
  return WallTime(Duration(row.redis_time));
}

}  // namespace

HostTable::Put HostTable::put(const HostKey& host, proto::FleetRow row, WallTime redis_now) {
  const auto found = hosts_.find(host);
  const bool is_known = found != hosts_.end();
  const bool is_plausible =
      time_of(row) <= redis_now + kMaxAhead && time_of(row) > redis_now - kHostRetention;
  if (!is_plausible || (is_known && row.redis_time <= found->second.redis_time)) return Put::kOld;
  if (!is_known && hosts_.size() >= kMaxHosts) return Put::kFull;
  hosts_[host] = std::move(row);
  return is_known ? Put::kNewer : Put::kNew;
}

std::vector<HostTable::HostKey> HostTable::expire(WallTime redis_now) {
  std::vector<HostKey> gone;
  for (auto at = hosts_.begin(); at != hosts_.end();) {
    const bool is_old = time_of(at->second) <= redis_now - kHostRetention;
    if (is_old) gone.push_back(at->first);
    at = is_old ? hosts_.erase(at) : std::next(at);
  }
  return gone;
}

}  // namespace claimsd::fleet
