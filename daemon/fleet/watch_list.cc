#include "daemon/fleet/watch_list.h"

#include <algorithm>

namespace claimsd::fleet {
namespace {

constexpr Duration kAskAgain = seconds(1);
constexpr Duration kKeep = std::chrono::minutes(1);

}  // namespace

bool WatchList::add(const ItemId& item, BootTime deadline, const Now& now) {
  const auto found = watches_.find(item);
  if (found != watches_.end()) {
    found->second.deadline = std::max(found->second.deadline, deadline);
    return true;
  }
  if (watches_.size() >= kMaxWatched) return false;
  watches_.emplace(item, Watch{.since = now.boot, .deadline = deadline, .ask_at = now.boot});
  return true;
}

void WatchList::take(const HostTable::HostKey& host, const proto::FleetRow& row) {
  for (auto& [item, watch] : watches_) {
    if (std::find(row.acknowledged.begin(), row.acknowledged.end(), item) != row.acknowledged.end())
      watch.acknowledged.insert(host);
  }
}

void WatchList::rows_read(BootTime began) {
  for (auto& [item, watch] : watches_) watch.knows_rows |= began >= watch.since;
}

void WatchList::expire(const Now& now) {
  std::erase_if(watches_, [&](const auto& one) { return one.second.deadline + kKeep <= now.boot; });
}

std::vector<ItemId> WatchList::due(const Now& now) {
  std::vector<ItemId> items;
  for (auto& [item, watch] : watches_) {
    if (watch.ask_at > now.boot || watch.deadline <= now.boot) continue;
    watch.ask_at = now.boot + kAskAgain;
    items.push_back(item);
  }
  return items;
}

bool WatchList::is_waiting(const Now& now) const {
  return std::any_of(watches_.begin(), watches_.end(),
                     [&](const auto& one) { return one.second.deadline > now.boot; });
}

Acknowledgement WatchList::of(const ItemId& item, const HostTable& hosts,
                              const HostTable::HostKey& self, bool is_durable,
                              bool is_current) const {
  Acknowledgement all{.hosts = hosts.size() + (hosts.holds(self) ? 0 : 1),
                      .acknowledged = is_durable ? std::size_t{1} : 0};
  const auto found = watches_.find(item);
  const Watch* const watch = found == watches_.end() ? nullptr : &found->second;
  all.knows_all_hosts = is_current && watch != nullptr && watch->knows_rows;
  hosts.each([&](const HostTable::HostKey& host, const proto::FleetRow& row) {
    if (host == self) return;
    if (watch != nullptr && watch->acknowledged.count(host) != 0) {
      ++all.acknowledged;
    } else if (all.missing.size() < kMaxMissing) {
      all.missing.push_back(row.name);
    }
  });
  return all;
}

}  // namespace claimsd::fleet
