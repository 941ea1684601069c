// What a replica sends: tick() and its parts.
#include <algorithm>

#include "daemon/fleet/host_replica.h"

namespace claimsd::fleet {
namespace {

constexpr Duration kKeepEnded = std::chrono::hours(1);
constexpr Duration kLateTick = 4 * kTick;
constexpr Duration kFirstRepeat = seconds(2);
constexpr Duration kLongestRepeat = seconds(30);
constexpr Duration kAskedRecently = std::chrono::minutes(1);
constexpr Duration kRowRepeat = seconds(1);  // until it was seen in the log
constexpr Duration kRowJitter = milliseconds(100);
constexpr Duration kTableInterval = std::chrono::minutes(1);
constexpr Duration kRowsTimeout = seconds(10);  // the command was dropped
constexpr std::size_t kMaxWanted = 1'024;
constexpr std::size_t kExpirePerTick = 256;
constexpr std::size_t kPublishPerTick = 200;
constexpr std::uint64_t kPulsesPerCount = 5;

constexpr Duration kHorizonStep = std::chrono::minutes(1);

// The same for all pulses of a minute, so that hosts rarely have to compute another digest.
WallTime horizon_at(WallTime redis_time) {
  const Duration since = (redis_time + kHorizon).time_since_epoch();
  return WallTime(since - since % kHorizonStep);
}

}  // namespace

void HostReplica::tick(const Now& now) {
  expire(now);
  if (connected_) {
    publish_own(now);
    // After a delay of this process the pulse of another host may wait to be read first.
    was_late_ = now.boot > ticked_at_ + kLateTick && !was_late_;
    if (!was_late_ && pulses_.is_due(rank(now), table_.size(), random_, now)) write_pulse(now);
    check_covered(now);
    run_exchange(now);
    if (refilling_) refill();
    read_rows(now);
    for (const ItemId& id : watches_.due(now)) publish(id, true);
  }
  update_currency(now);
  if (connected_ && now.boot >= std::max(row_due_, row_from_)) write_row(now);
  ticked_at_ = now.boot;
}

void HostReplica::expire(const Now& now) {
  const WallTime redis_now = clock_.time(now);
  const std::vector<ItemId> ended = items_.expire(redis_now - kKeepEnded, kExpirePerTick);
  for (const ItemId& id : ended) unpublished_.erase(id);
  watches_.expire(now);
  std::erase_if(wanted_, [&](const auto& one) { return one.second <= now.boot; });
  while (!acknowledged_.empty() && acknowledged_.front().second <= now.boot)
    acknowledged_.pop_front();
  std::vector<HostTable::HostKey> gone;
  if (now.boot >= table_due_) {
    table_due_ = now.boot + kTableInterval;
    gone = table_.expire(redis_now);
  }
  // One host removes them from Redis.
  if (!connected_ || !pulses_.wrote_last()) return;
  std::vector<std::string> names;
  for (const ItemId& id : ended) names.push_back(field_name(id));
  if (!names.empty()) bus_.drop_items(std::move(names));
  names.clear();
  for (const HostTable::HostKey& host : gone) names.push_back(claims::text_of({host}));
  if (!names.empty()) bus_.drop_rows(std::move(names));
}

proto::FleetSender HostReplica::sender(bool wants_acknowledgement) {
  return {settings_.host.bytes, ++sequence_, wants_acknowledgement};
}

Field HostReplica::field_of(const ItemId& id, const Item& item, bool wants_acknowledgement) {
  const auto kind = id.is_withdrawal ? proto::FleetKind::kWithdrawal : proto::FleetKind::kAction;
  return {field_name(id),
          sealer_.seal(proto::encode_fleet(sender(wants_acknowledgement), kind, item.content))};
}

void HostReplica::publish(const ItemId& id, bool wants_acknowledgement) {
  const Item* const item = items_.find(id);
  if (item == nullptr) return;
  ++counters_.published;
  bus_.publish(field_of(id, *item, wants_acknowledgement));
}

// Repeats what has not been seen in the log: a failover may have lost it.
void HostReplica::publish_own(const Now& now) {
  std::size_t left = kPublishPerTick;
  for (auto& [id, one] : unpublished_) {
    if (one.at > now.boot) continue;
    if (left-- == 0) return;
    one.delay = std::clamp(2 * one.delay, kFirstRepeat, kLongestRepeat);
    one.at = now.boot + one.delay;
    publish(id, false);
  }
}

void HostReplica::write_pulse(const Now& now) {
  const WallTime redis_time = clock_.time(now);
  const WallTime horizon = horizon_at(redis_time);
  const proto::FleetPulse pulse{.number = pulses_.next_number(redis_time),
                                .redis_time = redis_time.time_since_epoch().count(),
                                .horizon = horizon.time_since_epoch().count(),
                                .digest = items_.digest(horizon)};
  ++counters_.pulses_written;
  bus_.pulse(sealer_.seal(proto::encode_fleet(sender(), pulse)));
  pulses_.wrote(now);
  if (pulses_until_count_-- > 0) return;
  pulses_until_count_ = kPulsesPerCount;
  bus_.count_items();
}

// A new, older or emptied Redis: the host that writes the pulse fills the hash for hosts that join.
void HostReplica::on_item_count(std::uint64_t count, const Now&) {
  if (!connected_ || refilling_ || count >= items_.size()) return;
  refilling_ = true;
  refill_after_.reset();
}

void HostReplica::refill() {
  std::vector<Field> fields;
  std::optional<ItemId> last;
  items_.each(refill_after_, [&](const ItemId& id, const Item& item) {
    fields.push_back(field_of(id, item, false));
    last = id;
    return fields.size() < kMaxBatch;
  });
  refilling_ = fields.size() == kMaxBatch;
  refill_after_ = last;
  if (!fields.empty()) bus_.put_items(std::move(fields));
}

void HostReplica::run_exchange(const Now& now) {
  Exchange::Messages messages = exchange_.tick(now);
  if (messages.buckets) {
    ++counters_.exchanges;
    bus_.announce(sealer_.seal(proto::encode_fleet(sender(), *messages.buckets)));
  }
  for (const proto::FleetIds& ids : messages.ids)
    bus_.announce(sealer_.seal(proto::encode_fleet(sender(), ids)));
  for (const ItemId& id : messages.items) publish(id, false);
}

void HostReplica::write_row(const Now& now) {
  const std::int64_t redis_time = clock_.time(now).time_since_epoch().count();
  row_time_ = std::max(redis_time, row_time_ + 1);
  proto::FleetRow row{.incarnation = incarnation_,
                      .redis_time = row_time_,
                      .currency = static_cast<std::uint8_t>(currency_),
                      .items = items_.size(),
                      .name = settings_.host_name.substr(0, proto::kMaxFleetName),
                      .version = settings_.version.substr(0, proto::kMaxFleetVersionText)};
  for (const auto& [id, until] : acknowledged_) row.acknowledged.push_back(id);
  const std::string bytes = sealer_.seal(proto::encode_fleet(sender(), row));
  // Through the log it reaches every host that is connected now, through the hash later ones.
  if (!row_in_log_ || currency_ == Currency::kHostIdShared) bus_.announce(bytes);
  bus_.put_row({claims::text_of({settings_.host.bytes}), bytes});
  row_due_ = now.boot + (row_is_known() ? kRowInterval : next_repeat(row_repeat_));
}

// Repeats are rarer in large fleets, and with each repeat: they must not add to the load that delays
// them.
Duration HostReplica::next_repeat(Duration& last) const {
  const Duration by_size = kWindowPerHost * static_cast<std::int64_t>(table_.size());
  last = std::clamp(2 * last, std::clamp(by_size, kRowRepeat, kLongestRepeat), kLongestRepeat);
  return last;
}

void HostReplica::read_rows(const Now& now) {
  if (now.boot < rows_due_) return;
  const bool is_in_progress = rows_since_ && now.boot < *rows_since_ + kRowsTimeout;
  rows_due_ = now.boot + (row_in_hash_ ? rows_interval(table_.size()) : next_repeat(rows_repeat_));
  if (const auto watched = watches_.read_at(now)) rows_due_ = std::min(rows_due_, *watched);
  if (is_in_progress) return;
  rows_since_ = now.boot;
  bus_.read_rows();
}

// ---- Acknowledgements.

void HostReplica::wants_acknowledgement(const ItemId& id, const Now& now) {
  const Item* const item = items_.find(id);
  if (item == nullptr) return;
  if (item->durable) return acknowledge(id, now);
  if (wanted_.size() < kMaxWanted) wanted_.insert_or_assign(id, now.boot + kAskedRecently);
}

// In the next row, which is written soon, but not by all hosts at once.
void HostReplica::acknowledge(const ItemId& id, const Now& now) {
  std::erase_if(acknowledged_, [&](const auto& one) { return one.first == id; });
  acknowledged_.emplace_back(id, now.boot + kAskedRecently);
  if (acknowledged_.size() > proto::kMaxFleetAcks) acknowledged_.pop_front();
  const auto jitter = static_cast<std::uint64_t>(kRowJitter.count());
  row_due_ =
      std::min(row_due_, now.boot + Duration(static_cast<std::int64_t>(random_.below(jitter))));
}

bool HostReplica::watch(const claims::ActionId& action, bool is_withdrawal, BootTime deadline,
                        const Now& now) {
  const ItemId id{action.bytes, is_withdrawal};
  if (items_.find(id) == nullptr || !watches_.add(id, deadline, now)) return false;
  rows_due_ = now.boot;
  return true;
}

Acknowledgement HostReplica::acknowledgement(const claims::ActionId& action,
                                             bool is_withdrawal) const {
  const ItemId id{action.bytes, is_withdrawal};
  const Item* const item = items_.find(id);
  return watches_.of(id, table_, settings_.host.bytes, item != nullptr && item->durable,
                     currency_ == Currency::kCurrent);
}

}  // namespace claimsd::fleet
