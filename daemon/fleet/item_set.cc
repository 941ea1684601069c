#include "daemon/fleet/item_set.h"

#include <cstring>

namespace claimsd::fleet {
namespace {

using proto::FleetDigest;

// The finalizer of MurmurHash3.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 33U)) * 0xff51'afd7'ed55'8ccd;
  value = (value ^ (value >> 33U)) * 0xc4ce'b9fe'1a85'ec53;
  return value ^ (value >> 33U);
}

std::array<std::uint64_t, 2> mark_of(const ItemId& id) {
  std::array<std::uint64_t, 2> words{};
  std::memcpy(words.data(), id.id.data(), id.id.size());
  const std::uint64_t kind = id.is_withdrawal ? 0x5bd1'e995'9d1b'54a3 : 0;
  return {mix(words[0] ^ kind) + words[1], mix(words[1] ^ kind ^ words[0])};
}

void change(FleetDigest& digest, const ItemId& id, bool add) {
  const auto mark = mark_of(id);
  digest.items += add ? 1 : std::uint64_t(0) - 1;
  for (std::size_t at = 0; at < mark.size(); ++at)
    digest.sum[at] += add ? mark[at] : std::uint64_t(0) - mark[at];
}

}  // namespace

bool ItemSet::insert(const ItemId& id, const Item& item) {
  const auto [at, is_new] = items_.try_emplace(id, item);
  if (!is_new) return false;
  const Item& added = at->second;
  by_end_.emplace(added.ends, id);
  if (!added.durable) ++not_durable_;
  if (!added.published) {
    ++unpublished_;
    return true;
  }
  if (added.ends > horizon_) count(id, true);
  recent_.push_back({id, added.ends});
  if (recent_.size() > kRecent) recent_.pop_front();
  return true;
}

const Item* ItemSet::find(const ItemId& id) const {
  const auto found = items_.find(id);
  return found == items_.end() ? nullptr : &found->second;
}

void ItemSet::set_published(const ItemId& id) {
  const auto found = items_.find(id);
  if (found == items_.end() || found->second.published) return;
  found->second.published = true;
  --unpublished_;
  if (found->second.ends > horizon_) count(id, true);
  recent_.push_back({id, found->second.ends});
  if (recent_.size() > kRecent) recent_.pop_front();
}

void ItemSet::set_durable(const ItemId& id) {
  const auto found = items_.find(id);
  if (found == items_.end() || found->second.durable) return;
  found->second.durable = true;
  --not_durable_;
}

std::vector<ItemId> ItemSet::expire(WallTime before, std::size_t most) {
  std::vector<ItemId> ended;
  while (ended.size() < most && !by_end_.empty() && by_end_.begin()->first < before) {
    const ItemId id = by_end_.begin()->second;
    const Item& item = items_.at(id);
    if (item.published && item.ends > horizon_) count(id, false);
    if (!item.published) --unpublished_;
    if (!item.durable) --not_durable_;
    items_.erase(id);
    by_end_.erase(by_end_.begin());
    ended.push_back(id);
  }
  return ended;
}

void ItemSet::count(const ItemId& id, bool add) {
  change(digest_, id, add);
  const std::uint64_t mark = mark_of(id)[0];
  sums_[bucket_of(id)] += add ? mark : std::uint64_t(0) - mark;
}

void ItemSet::move_horizon(WallTime horizon) {
  const auto change_between = [&](WallTime from, WallTime to, bool add) {
    const auto end = by_end_.upper_bound(to);
    for (auto at = by_end_.upper_bound(from); at != end; ++at) {
      if (items_.at(at->second).published) count(at->second, add);
    }
  };
  if (horizon > horizon_) change_between(horizon_, horizon, false);
  if (horizon < horizon_) change_between(horizon, horizon_, true);
  horizon_ = horizon;
}

FleetDigest ItemSet::digest(WallTime horizon) {
  move_horizon(horizon);
  return digest_;
}

std::array<std::uint64_t, proto::kFleetBuckets> ItemSet::bucket_sums(WallTime horizon) {
  move_horizon(horizon);
  return sums_;
}

std::optional<std::vector<ItemId>> ItemSet::covers(const FleetDigest& digest, WallTime horizon) {
  move_horizon(horizon);
  FleetDigest own = digest_;
  std::vector<ItemId> beyond;
  if (own == digest) return beyond;
  for (auto at = recent_.rbegin(); at != recent_.rend() && own.items > digest.items; ++at) {
    if (at->ends <= horizon || items_.count(at->id) == 0) continue;
    change(own, at->id, false);
    beyond.push_back(at->id);
    if (own == digest) return beyond;
  }
  return std::nullopt;
}

}  // namespace claimsd::fleet
