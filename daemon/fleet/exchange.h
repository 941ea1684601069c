// exchange.h: finds and repairs differences between the sets of two hosts.
//
//   1. A host that does not cover a pulse announces the sums of its 256 buckets.
//   2. The host that wrote the pulse answers with the ids in each differing bucket. If it does not,
//      others do.
//   3. A host that reads ids and holds an item that they lack, publishes that item. A host that lacks one of
//      them announces its own ids of this bucket.
//   4. A host that covers the pulses, but has items that they have lacked for a while, publishes these
//      items: the host that writes the pulses has missed them.
//
// Any holder repairs, not only the author. What another host is seen to publish first is not
// published again; random delays grow with the number of hosts, so that few do it twice. Queues are
// bounded: what does not fit is found by the next exchange. Loop thread.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/fleet/item_set.h"

namespace claimsd::fleet {

class Exchange {
 public:
  Exchange(ItemSet& items, Random& random) : items_(items), random_(random) {}

  // What to send now.
  struct Messages {
    std::optional<proto::FleetBuckets> buckets;
    std::vector<proto::FleetIds> ids;
    std::vector<ItemId> items;
  };

  // This host does not cover a pulse with that horizon. Announces buckets after a delay, less often
  // if that does not help.
  void behind(WallTime horizon, const Now& now);
  // `beyond`: what this host has beyond the pulse.
  void covered(const std::vector<ItemId>& beyond, const Now& now);
  // `wrote_pulse`: this host wrote the last one, so it answers without delay.
  void on_buckets(const proto::FleetBuckets& theirs, bool wrote_pulse, const Now& now);
  void on_ids(const proto::FleetIds& theirs, bool wrote_pulse, const Now& now);
  // The item was seen in the log.
  void seen(const ItemId& item) { publish_.erase(item); }
  void set_hosts(std::size_t hosts) { hosts_ = hosts; }
  Messages tick(const Now& now);
  std::size_t queued() const { return publish_.size() + answers_.size() + beyond_.size(); }

  static constexpr std::size_t kMaxQueued = 10'000;
  static constexpr std::size_t kItemsPerTick = 200;
  static constexpr std::size_t kBucketsPerTick = 16;

 private:
  // The ids of one bucket, to be announced.
  struct IdsDue {
    BootTime at;
    WallTime horizon;
    std::vector<ItemId> lacking;  // if all of these have arrived: not necessary any more
    bool is_answer = false;       // to buckets; not necessary if another host answers
  };
  Duration window() const;
  Duration random_part(Duration of);
  void append_ids(std::uint8_t bucket, WallTime horizon, std::vector<proto::FleetIds>& to) const;
  bool is_needed(const IdsDue& due) const;

  ItemSet& items_;
  Random& random_;
  std::size_t hosts_ = 1;
  std::optional<BootTime> ask_at_;
  WallTime ask_horizon_{};
  Duration ask_delay_{};  // doubles until this host is covered
  std::map<std::uint8_t, IdsDue> answers_;
  std::map<ItemId, BootTime> publish_;
  std::map<ItemId, BootTime> beyond_;  // at most ItemSet::kRecent; since when
};

}  // namespace claimsd::fleet
