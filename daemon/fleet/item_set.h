// item_set.h: the actions and withdrawals that the fleet shares, with digests of them.
//
// A digest is a sum over the items that end after a horizon. Every host computes it for the horizon
// that a pulse names, so that items need not expire everywhere at the same moment. Ids are random,
// and an item never changes, so ids suffice. An item of this host counts only after it was seen in
// the log: then the digests of all hosts change in the order of the log. Bounded by its owner.
// Loop thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "proto/fleet_messages.h"

namespace claimsd::fleet {

using ItemId = proto::FleetItemId;

// The bucket of an item in an exchange.
inline std::uint8_t bucket_of(const ItemId& id) {
  return id.id.front();
}

struct Item {
  WallTime ends;
  std::string content;  // encoded: proto/fleet_messages.h
  bool published = true;
  bool durable = false;  // here
};

class ItemSet {
 public:
  // False if it is there already: then nothing changes.
  bool insert(const ItemId& id, const Item& item);
  // Null if absent. Valid until the item expires.
  const Item* find(const ItemId& id) const;
  // Seen in the log: from now on it counts.
  void set_published(const ItemId& id);
  void set_durable(const ItemId& id);
  // Removes up to `most` items that ended before `before`, and returns which.
  std::vector<ItemId> expire(WallTime before, std::size_t most);

  // Over the published items that end after `horizon`. Near-by horizons cost little.
  proto::FleetDigest digest(WallTime horizon);
  std::array<std::uint64_t, proto::kFleetBuckets> bucket_sums(WallTime horizon);
  // Whether the set contains the items of that digest: it has this digest, or had it before some of
  // the newest kRecent items were added. Returns these items, or nullopt: it does not.
  std::optional<std::vector<ItemId>> covers(const proto::FleetDigest& digest, WallTime horizon);
  static constexpr std::size_t kRecent = 1'024;

  // Visits published and other items in order, starting after `after` (or at the start). Ends when
  // `visit` returns false.
  template <class Visit>
  void each(const std::optional<ItemId>& after, Visit&& visit) const {
    auto at = after ? items_.upper_bound(*after) : items_.begin();
    for (; at != items_.end() && visit(at->first, at->second); ++at) continue;
  }

  std::size_t size() const { return items_.size(); }
  std::size_t unpublished() const { return unpublished_; }
  std::size_t not_durable() const { return not_durable_; }

 private:
  struct Recent {
    ItemId id;
    WallTime ends;
  };
  void count(const ItemId& id, bool add);
  void move_horizon(WallTime horizon);

  std::map<ItemId, Item> items_;
  std::multimap<WallTime, ItemId> by_end_;
  std::deque<Recent> recent_;  // in the order in which they became published
  WallTime horizon_ = WallTime::min();
  proto::FleetDigest digest_;
  std::array<std::uint64_t, proto::kFleetBuckets> sums_{};
  std::size_t unpublished_ = 0;
  std::size_t not_durable_ = 0;
};

}  // namespace claimsd::fleet
