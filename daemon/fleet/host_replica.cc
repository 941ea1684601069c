#include "daemon/fleet/host_replica.h"

#include <algorithm>

#include "daemon/fleet/rules.h"

namespace claimsd::fleet {
namespace {

using proto::FleetKind;

constexpr Duration kKeepFull = seconds(5);
// A message of an exchange about another time is a replay.
constexpr Duration kMaxHorizonAge = std::chrono::minutes(5);

ItemId item_id(const claims::ActionId& action, bool is_withdrawal) {
  return {action.bytes, is_withdrawal};
}

ItemId id_of(const proto::FleetAction& action) {
  return {action.id, false};
}
ItemId id_of(const proto::FleetWithdrawal& withdrawal) {
  return {withdrawal.action, true};
}

// What this host puts into effect; nullopt if it is not valid.
auto local_of(const proto::FleetAction& action, const Now& now, WallTime fleet_now) {
  return rules_of(action, now, fleet_now);
}
auto local_of(const proto::FleetWithdrawal& withdrawal, const Now& now, WallTime fleet_now) {
  return std::optional(withdrawal_of(withdrawal, now, fleet_now));
}

// The encoded content, without sender.
template <class T>
std::string content_of(const T& item) {
  const std::string bytes = proto::encode_fleet(proto::FleetSender{}, item);
  proto::FleetBody body;
  return proto::decode_fleet_body(bytes, body) ? std::string(body.content) : std::string();
}

// Calls `visit` with the rules of each action.
template <class Visit>
void each_action(std::vector<claims::Rule> rules, Visit&& visit) {
  std::sort(rules.begin(), rules.end(),
            [](const claims::Rule& a, const claims::Rule& b) { return a.key < b.key; });
  for (auto at = rules.begin(); at != rules.end();) {
    const auto end = std::find_if(
        at, rules.end(), [&](const claims::Rule& r) { return r.key.action != at->key.action; });
    visit(std::span<const claims::Rule>(at, end));
    at = end;
  }
}

}  // namespace

std::string field_name(const ItemId& id) {
  return (id.is_withdrawal ? "w" : "a") + claims::text_of({id.id});
}

Result<std::unique_ptr<Replica>> Replica::create(Settings settings,
                                                 const std::vector<Secret>& seal_keys, Bus& bus,
                                                 LocalRules& rules, Random& random) {
  FleetSealer sealer = TRY(FleetSealer::create(seal_keys, settings.fleet, random));
  return std::unique_ptr<Replica>(
      std::make_unique<HostReplica>(std::move(settings), std::move(sealer), bus, rules, random));
}

HostReplica::HostReplica(Settings settings, FleetSealer sealer, Bus& bus, LocalRules& rules,
                         Random& random)
    : settings_(std::move(settings)),
      sealer_(std::move(sealer)),
      bus_(bus),
      rules_(rules),
      random_(random),
      exchange_(items_, random),
      settled_(settings_.was_current_at.has_value()) {
  random_.fill(&incarnation_, sizeof incarnation_);
}

// ---- What this host has and orders.

void HostReplica::restore(const std::vector<claims::Rule>& rules,
                          const std::vector<claims::Withdrawal>& withdrawals, const Now& now) {
  each_action(rules, [&](std::span<const claims::Rule> one) {
    if (one.front().author != claims::HostId{}) add_restored(action_of(one), now);
  });
  for (const claims::Withdrawal& one : withdrawals) {
    if (one.author != claims::HostId{}) add_restored(withdrawal_of(one), now);
  }
  update_currency(now);
}

// Whether it was published is not known. If not, digests differ, and an exchange publishes it.
template <class Content>
void HostReplica::add_restored(const Content& restored, const Now& now) {
  const WallTime ends = end_of(restored);
  std::string content = content_of(restored);
  if (ends <= now.wall || content.empty()) return;
  items_.insert(id_of(restored), {.ends = ends, .content = std::move(content), .durable = true});
}

void HostReplica::share(const claims::RevocationChange& change, const Now& now) {
  each_action(change.rules, [&](std::span<const claims::Rule> one) {
    if (one.front().author == settings_.host) add_own(action_of(one), now);
  });
  for (const claims::Withdrawal& one : change.withdrawals) {
    if (one.author == settings_.host) add_own(withdrawal_of(one), now);
  }
}

template <class Content>
void HostReplica::add_own(const Content& made, const Now& now) {
  const ItemId id = id_of(made);
  std::string content = content_of(made);
  if (content.empty() ||
      !items_.insert(id, {.ends = end_of(made), .content = std::move(content), .published = false}))
    return;
  unpublished_.emplace(id, Unpublished{now.boot, {}});
  if (connected_) publish_own(now);
}

void HostReplica::on_durable(const claims::ActionId& action, bool is_withdrawal, const Now& now) {
  const ItemId id = item_id(action, is_withdrawal);
  items_.set_durable(id);
  if (wanted_.erase(id) > 0) acknowledge(id, now);
}

// ---- What arrives.

bool HostReplica::open(std::string_view bytes, proto::FleetBody& body) {
  switch (sealer_.open(bytes, opened_)) {
    case Opened::kUnsealed: ++counters_.unsealed; return false;
    case Opened::kMustUpgrade: too_old_ = true; [[fallthrough]];
    case Opened::kNewer: ++counters_.malformed; return false;
    case Opened::kOpened: break;
  }
  if (proto::decode_fleet_body(opened_, body)) return true;
  ++counters_.malformed;
  return false;
}

void HostReplica::on_message(std::string_view bytes, const Now& now) {
  proto::FleetBody body;
  if (!open(bytes, body)) return;
  const bool is_own = body.sender.host == settings_.host.bytes;
  const bool wrote_pulse = pulses_.wrote_last();
  const auto is_recent = [&](std::int64_t horizon) {
    const Duration age = clock_.time(now) - wall_time(horizon);
    return age < kMaxHorizonAge && age > -kMaxHorizonAge;
  };
  switch (body.kind) {
    case FleetKind::kAction:
    case FleetKind::kWithdrawal: {
      ItemId id;
      if (merge(body, now, id) == Merged::kIgnored) return;
      unpublished_.erase(id);
      exchange_.seen(id);
      if (body.sender.wants_acknowledgement) wants_acknowledgement(id, now);
      return check_covered(now);
    }
    case FleetKind::kRow: return take_row(body, row_in_log_, now);
    case FleetKind::kBuckets: {
      proto::FleetBuckets buckets;
      if (!proto::decode_fleet(body.content, buckets)) break;
      if (!is_own && is_recent(buckets.horizon)) exchange_.on_buckets(buckets, wrote_pulse, now);
      return;
    }
    case FleetKind::kIds: {
      proto::FleetIds ids;
      if (!proto::decode_fleet(body.content, ids)) break;
      if (!is_own && is_recent(ids.horizon)) exchange_.on_ids(ids, wrote_pulse, now);
      return;
    }
    case FleetKind::kPulse: break;
  }
  ++counters_.malformed;
}

void HostReplica::on_item(std::string_view name, std::string_view bytes, const Now& now) {
  proto::FleetBody body;
  ItemId id;
  const bool is_item =
      open(bytes, body) && (body.kind == FleetKind::kAction || body.kind == FleetKind::kWithdrawal);
  // A foreign value hides an item: write it again if this host has it.
  if (!is_item || merge(body, now, id) == Merged::kIgnored || field_name(id) != name) {
    const auto action = claims::action_id_of(name.substr(name.empty() ? 0 : 1));
    if (!action) return;
    id = item_id(*action, name.front() == 'w');
    const Item* const item = items_.find(id);
    if (item != nullptr && connected_) bus_.put_items({field_of(id, *item, false)});
    return;
  }
  check_covered(now);
}

HostReplica::Merged HostReplica::merge(const proto::FleetBody& body, const Now& now, ItemId& id) {
  return body.kind == FleetKind::kAction ? merge_as<proto::FleetAction>(body, now, id)
                                         : merge_as<proto::FleetWithdrawal>(body, now, id);
}

template <class Content>
HostReplica::Merged HostReplica::merge_as(const proto::FleetBody& body, const Now& now,
                                          ItemId& id) {
  Content content;
  if (!proto::decode_fleet(body.content, content)) {
    ++counters_.malformed;
    return Merged::kIgnored;
  }
  id = id_of(content);
  return add(id, end_of(content), body, now, [&]() -> std::optional<bool> {
    const auto made = local_of(content, now, clock_.time(now));
    if (!made) return std::nullopt;
    return rules_.apply(*made);
  });
}

template <class Apply>
HostReplica::Merged HostReplica::add(const ItemId& id, WallTime ends, const proto::FleetBody& body,
                                     const Now& now, Apply&& apply) {
  if (items_.find(id) != nullptr) {
    ++counters_.duplicates;
    items_.set_published(id);
    return Merged::kKnown;
  }
  if (ends <= clock_.time(now)) {
    ++counters_.ended;
    return Merged::kIgnored;
  }
  const bool has_room = items_.size() < settings_.max_items;
  const std::optional<bool> applied = has_room ? apply() : std::optional<bool>(false);
  if (!applied) {
    ++counters_.malformed;
    return Merged::kIgnored;
  }
  if (!*applied) {
    ++counters_.refused_full;
    full_at_ = now.boot;
    update_currency(now);
    return Merged::kIgnored;
  }
  ++counters_.applied;
  items_.insert(id, {.ends = ends, .content = std::string(body.content)});
  return Merged::kNew;
}

void HostReplica::on_items_read(const Now& now) {
  items_read_ = true;
  check_covered(now);
}

void HostReplica::on_pulse(std::string_view bytes, const Now& now) {
  proto::FleetBody body;
  proto::FleetPulse pulse;
  if (!connected_ || !open(bytes, body)) return;
  if (body.kind != FleetKind::kPulse || !proto::decode_fleet(body.content, pulse)) {
    ++counters_.malformed;
    return;
  }
  const bool is_own = body.sender.host == settings_.host.bytes;
  if (pulses_.take(pulse, is_own, clock_, now) != PulseMonitor::Judgement::kFresh) {
    ++counters_.stale_pulses;
    return;
  }
  ++counters_.pulses;
  check_covered(now);
}

void HostReplica::check_covered(const Now& now) {
  const proto::FleetPulse* const pulse = pulses_.uncovered(now);
  if (pulse == nullptr || !items_read_) return;
  const WallTime horizon = wall_time(pulse->horizon);
  if (const auto beyond = items_.covers(pulse->digest, horizon)) {
    pulses_.set_covered();
    exchange_.covered(*beyond, now);
    if (full_at_ && now.boot >= *full_at_ + kKeepFull) full_at_.reset();
    return update_currency(now);
  }
  if (!full_at_ || now.boot >= *full_at_ + kKeepFull) exchange_.behind(horizon, now);
}

void HostReplica::on_row(std::string_view name, std::string_view bytes, const Now& now) {
  proto::FleetBody body;
  if (!open(bytes, body)) return;
  if (body.kind == FleetKind::kRow && claims::text_of({body.sender.host}) == name)
    return take_row(body, row_in_hash_, now);
  ++counters_.malformed;
}

void HostReplica::take_row(const proto::FleetBody& body, bool& is_seen, const Now& now) {
  proto::FleetRow row;
  if (!proto::decode_fleet(body.content, row)) {
    ++counters_.malformed;
    return;
  }
  const WallTime redis_now = clock_.time(now);
  if (body.sender.host == settings_.host.bytes) {
    if (row.incarnation == incarnation_) {
      is_seen = true;
    } else if (started_at_ && wall_time(row.redis_time) >
                                  redis_now - (now.boot - *started_at_) + kClockTolerance) {
      shared_at_ = now.boot;  // written after this host's start, but not by it
    }
  }
  watches_.take(body.sender.host, row);
  if (table_.put(body.sender.host, std::move(row), redis_now) == HostTable::Put::kFull)
    ++counters_.rows_dropped;
  exchange_.set_hosts(std::max<std::size_t>(table_.size(), 1));
}

void HostReplica::on_rows_read(const Now& now) {
  if (!rows_since_) return;
  const auto is_shared = [&](const ItemId& id) {
    const Item* const item = items_.find(id);
    return item != nullptr && item->durable && item->published;
  };
  watches_.rows_read(*rows_since_, table_, settings_.host.bytes, is_shared, now);
  rows_since_.reset();
}

}  // namespace claimsd::fleet
