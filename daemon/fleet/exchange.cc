#include "daemon/fleet/exchange.h"

#include <algorithm>
#include <utility>

#include "daemon/fleet/limits.h"
#include "daemon/fleet/rules.h"

namespace claimsd::fleet {
namespace {

constexpr Duration kFirstAsk = milliseconds(300);
constexpr Duration kLongestAsk = seconds(30);
constexpr Duration kOthersAsk = seconds(2);
// How long to leave the answer to the host that wrote the pulse.
constexpr Duration kWriterAnswers = seconds(1);
// What pulses lack for this long is not merely on its way to the host that writes them.
constexpr Duration kInFlight = seconds(3);
constexpr Duration kLeastWindow = milliseconds(250);
constexpr std::size_t kMaxLacking = 64;

}  // namespace

Duration Exchange::window() const {
  return std::max(kLeastWindow, kWindowPerHost * static_cast<std::int64_t>(hosts_));
}

Duration Exchange::random_part(Duration of) {
  return Duration(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(of.count()))));
}

void Exchange::behind(WallTime horizon, const Now& now) {
  ask_horizon_ = horizon;
  if (ask_at_) return;
  ask_delay_ = std::clamp(2 * ask_delay_, kFirstAsk, kLongestAsk);
  ask_at_ = now.boot + ask_delay_ + random_part(window());
}

void Exchange::covered(const std::vector<ItemId>& beyond, const Now& now) {
  ask_at_.reset();
  ask_delay_ = {};
  std::map<ItemId, BootTime> earlier;
  earlier.swap(beyond_);
  for (const ItemId& id : beyond) {
    const auto known = earlier.find(id);
    const BootTime since = known == earlier.end() ? now.boot : known->second;
    const bool is_overdue = now.boot >= since + kInFlight;
    if (is_overdue && publish_.size() < kMaxQueued)
      publish_.try_emplace(id, now.boot + random_part(window()));
    beyond_.emplace(id, is_overdue ? now.boot : since);
  }
}

void Exchange::on_buckets(const proto::FleetBuckets& theirs, bool wrote_pulse, const Now& now) {
  const auto own = items_.bucket_sums(wall_time(theirs.horizon));
  // Another host with the same set has asked: the answer helps this one as well.
  if (own == theirs.sums && ask_at_) ask_at_ = std::max(*ask_at_, now.boot + kOthersAsk);
  for (std::size_t bucket = 0; bucket < own.size(); ++bucket) {
    if (own[bucket] == theirs.sums[bucket]) continue;
    const Duration delay =
        wrote_pulse ? Duration(0) : kWriterAnswers + random_part(kWriterAnswers + window());
    answers_.try_emplace(static_cast<std::uint8_t>(bucket),
                         IdsDue{now.boot + delay, wall_time(theirs.horizon), {}, true});
  }
}

void Exchange::on_ids(const proto::FleetIds& theirs, bool wrote_pulse, const Now& now) {
  const WallTime horizon = wall_time(theirs.horizon);
  const auto is_of_bucket = [&](const ItemId& id) { return bucket_of(id) == theirs.bucket; };
  if (bucket_of(theirs.after) != theirs.bucket ||
      !std::all_of(theirs.items.begin(), theirs.items.end(), is_of_bucket))
    return;
  if (const auto own = answers_.find(theirs.bucket);
      own != answers_.end() && own->second.is_answer && theirs.is_last)
    answers_.erase(own);
  // Mine that they lack.
  const Duration delay = wrote_pulse ? Duration(0) : random_part(window());
  auto at = theirs.items.begin();
  items_.each(ItemId{theirs.after}, [&](const ItemId& id, const Item& item) {
    if (bucket_of(id) > theirs.bucket) return false;
    if (bucket_of(id) < theirs.bucket) return true;
    while (at != theirs.items.end() && *at < id) ++at;
    const bool is_beyond = at == theirs.items.end() && !theirs.is_last;
    if (is_beyond || publish_.size() >= kMaxQueued) return false;
    const bool is_listed = at != theirs.items.end() && *at == id;
    if (!is_listed && item.ends > horizon) publish_.try_emplace(id, now.boot + delay);
    return true;
  });
  // Theirs that this host lacks.
  IdsDue due{.at = now.boot + random_part(kLeastWindow), .horizon = horizon};
  for (const ItemId& id : theirs.items) {
    if (due.lacking.size() == kMaxLacking) break;
    if (items_.find(id) == nullptr) due.lacking.push_back(id);
  }
  if (!due.lacking.empty()) answers_.insert_or_assign(theirs.bucket, std::move(due));
}

bool Exchange::is_needed(const IdsDue& due) const {
  return due.is_answer || std::any_of(due.lacking.begin(), due.lacking.end(),
                                      [&](const ItemId& id) { return items_.find(id) == nullptr; });
}

void Exchange::append_ids(std::uint8_t bucket, WallTime horizon,
                          std::vector<proto::FleetIds>& to) const {
  proto::FleetIds ids{.horizon = horizon.time_since_epoch().count(), .bucket = bucket};
  ids.after.id.front() = bucket;  // no item has zeros after it
  items_.each(ids.after, [&](const ItemId& id, const Item& item) {
    if (bucket_of(id) != bucket) return false;
    if (item.ends <= horizon) return true;
    if (ids.items.size() == proto::kMaxFleetIds) {
      const ItemId last = ids.items.back();
      ids.is_last = false;
      to.push_back(std::exchange(ids, {.horizon = ids.horizon, .bucket = bucket, .after = last}));
    }
    ids.items.push_back(id);
    return true;
  });
  to.push_back(std::move(ids));
}

Exchange::Messages Exchange::tick(const Now& now) {
  Messages messages;
  if (ask_at_ && *ask_at_ <= now.boot) {
    messages.buckets = {.horizon = ask_horizon_.time_since_epoch().count(),
                        .sums = items_.bucket_sums(ask_horizon_)};
    ask_at_.reset();
  }
  std::size_t buckets = 0;
  for (auto at = answers_.begin(); at != answers_.end() && buckets < kBucketsPerTick;) {
    if (at->second.at > now.boot) {
      ++at;
      continue;
    }
    if (is_needed(at->second)) {
      append_ids(at->first, at->second.horizon, messages.ids);
      ++buckets;
    }
    at = answers_.erase(at);
  }
  for (auto at = publish_.begin(); at != publish_.end() && messages.items.size() < kItemsPerTick;) {
    const bool is_due = at->second <= now.boot;
    if (is_due) messages.items.push_back(at->first);
    at = is_due ? publish_.erase(at) : std::next(at);
  }
  return messages;
}

}  // namespace claimsd::fleet
