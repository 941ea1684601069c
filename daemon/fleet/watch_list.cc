#include "daemon/fleet/watch_list.h"

#include <algorithm>

namespace claimsd::fleet {
namespace {

constexpr Duration kAskAgain = seconds(1);
constexpr Duration kReadAgain = milliseconds(200);
constexpr Duration kKeep = std::chrono::minutes(1);

}  // namespace

bool WatchList::add(const ItemId& item, BootTime deadline, const Now& now) {
  const auto found = watches_.find(item);
  if (found != watches_.end()) {
    found->second.deadline = std::max(found->second.deadline, deadline);
    return true;
  }
  if (watches_.size() >= kMaxWatched) return false;
  watches_.emplace(item, Watch{.deadline = deadline, .ask_at = now.boot});
  return true;
}

void WatchList::take(const HostTable::HostKey& host, const proto::FleetRow& row) {
  for (auto& [item, watch] : watches_) {
    if (std::find(row.acknowledged.begin(), row.acknowledged.end(), item) != row.acknowledged.end())
      watch.acknowledged.insert(host);
  }
}

void WatchList::connected() {
  for (auto& [item, watch] : watches_) {
    watch.complete_since.reset();
    watch.is_confirmed = false;
  }
}

bool WatchList::is_complete(const Watch& watch, const HostTable& hosts,
                            const HostTable::HostKey& self) {
  if (hosts.size() >= kMaxHosts) return false;  // there may be others
  return hosts.all([&](const HostTable::HostKey& host) {
    return host == self || watch.acknowledged.count(host) != 0;
  });
}

void WatchList::rows_read(BootTime began, const HostTable& hosts, const HostTable::HostKey& self,
                          const std::function<bool(const ItemId&)>& is_shared, const Now& now) {
  for (auto& [item, watch] : watches_) {
    if (watch.is_confirmed) continue;
    if (!is_shared(item) || !is_complete(watch, hosts, self)) {
      watch.complete_since.reset();
    } else if (!watch.complete_since) {
      watch.complete_since = now.boot;
    } else {
      watch.is_confirmed = began >= *watch.complete_since + kConfirmAfter;
    }
  }
}

std::optional<BootTime> WatchList::read_at(const Now& now) const {
  std::optional<BootTime> at;
  for (const auto& [item, watch] : watches_) {
    if (watch.is_confirmed || watch.deadline <= now.boot) continue;
    const BootTime next = watch.complete_since
                              ? std::max(now.boot, *watch.complete_since + kConfirmAfter)
                              : now.boot + kReadAgain;
    at = std::min(at.value_or(next), next);
  }
  return at;
}

void WatchList::expire(const Now& now) {
  std::erase_if(watches_, [&](const auto& one) { return one.second.deadline + kKeep <= now.boot; });
}

std::vector<ItemId> WatchList::due(const Now& now) {
  std::vector<ItemId> items;
  for (auto& [item, watch] : watches_) {
    if (watch.complete_since || watch.ask_at > now.boot || watch.deadline <= now.boot) continue;
    watch.ask_at = now.boot + kAskAgain;
    items.push_back(item);
  }
  return items;
}

Acknowledgement WatchList::of(const ItemId& item, const HostTable& hosts,
                              const HostTable::HostKey& self, bool is_durable,
                              bool is_current) const {
  Acknowledgement all{.hosts = hosts.size() + (hosts.holds(self) ? 0 : 1),
                      .acknowledged = is_durable ? std::size_t{1} : 0};
  const auto found = watches_.find(item);
  const Watch* const watch = found == watches_.end() ? nullptr : &found->second;
  all.knows_all_hosts = is_current && watch != nullptr && watch->is_confirmed;
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
