#include "daemon/fleet/host_replica.h"

#include <algorithm>

#include "daemon/fleet/rules.h"

namespace claimsd::fleet {
namespace {

using proto::FleetKind;

constexpr Duration kKeepFull = seconds(5);
constexpr Duration kKeepWanted = std::chrono::minutes(1);
constexpr Duration kRowsAfterRow = milliseconds(200);  // this host's row is to be among them
constexpr Duration kRemember = std::chrono::hours(1);
// Before other hosts drop this host from their tables, it stops to count as one that was current.
constexpr Duration kForgetCurrent = kHostRetention - std::chrono::hours(24);
// A message of an exchange about another time is a replay.
constexpr Duration kMaxHorizonAge = std::chrono::minutes(5);

ItemId item_id(const claims::ActionId& action, bool is_withdrawal) {
  return {action.bytes, is_withdrawal};
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
    if (one.front().author == claims::HostId{}) return;
    const proto::FleetAction action = action_of(one);
    add_restored({action.id, false}, end_of(action), content_of(action), now);
  });
  for (const claims::Withdrawal& one : withdrawals) {
    if (one.author == claims::HostId{}) continue;
    const proto::FleetWithdrawal withdrawal = withdrawal_of(one);
    add_restored({withdrawal.action, true}, end_of(withdrawal), content_of(withdrawal), now);
  }
  update_currency(now);
}

// Whether it was published is not known. If not, digests differ, and an exchange publishes it.
void HostReplica::add_restored(const ItemId& id, WallTime ends, std::string content,
                               const Now& now) {
  if (ends <= now.wall || content.empty()) return;
  items_.insert(id, {.ends = ends, .content = std::move(content), .durable = true});
}

void HostReplica::share(const claims::RevocationChange& change, const Now& now) {
  each_action(change.rules, [&](std::span<const claims::Rule> one) {
    if (one.front().author != settings_.host) return;
    const proto::FleetAction action = action_of(one);
    add_own({action.id, false}, end_of(action), content_of(action), now);
  });
  for (const claims::Withdrawal& one : change.withdrawals) {
    if (one.author != settings_.host) continue;
    const proto::FleetWithdrawal withdrawal = withdrawal_of(one);
    add_own({withdrawal.action, true}, end_of(withdrawal), content_of(withdrawal), now);
  }
}

void HostReplica::add_own(const ItemId& id, WallTime ends, std::string content, const Now& now) {
  if (content.empty()) return;
  if (!items_.insert(id, {.ends = ends, .content = std::move(content), .published = false})) return;
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
    const Duration age = clock_.time(now) - WallTime(Duration(horizon));
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
  if (body.kind == FleetKind::kAction) {
    proto::FleetAction action;
    if (proto::decode_fleet(body.content, action)) {
      id = {action.id, false};
      return merge(id, action, body, now);
    }
  } else {
    proto::FleetWithdrawal withdrawal;
    if (proto::decode_fleet(body.content, withdrawal)) {
      id = {withdrawal.action, true};
      return merge(id, withdrawal, body, now);
    }
  }
  ++counters_.malformed;
  return Merged::kIgnored;
}

HostReplica::Merged HostReplica::merge(const ItemId& id, const proto::FleetAction& action,
                                       const proto::FleetBody& body, const Now& now) {
  return add(id, end_of(action), body, now, [&]() -> std::optional<bool> {
    const auto rules = rules_of(action, now, clock_.time(now));
    if (!rules) return std::nullopt;
    return rules_.apply(*rules);
  });
}

HostReplica::Merged HostReplica::merge(const ItemId& id, const proto::FleetWithdrawal& withdrawal,
                                       const proto::FleetBody& body, const Now& now) {
  return add(id, end_of(withdrawal), body, now, [&]() -> std::optional<bool> {
    const auto made = withdrawal_of(withdrawal, now, clock_.time(now));
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
  const WallTime horizon{Duration(pulse->horizon)};
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
    } else if (started_at_ && WallTime(Duration(row.redis_time)) >
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

// ---- Connection and time.

void HostReplica::on_connected(WallTime redis_time, const Now& now) {
  connected_ = true;
  items_read_ = false;
  row_in_log_ = false;
  row_in_hash_ = false;
  watches_.connected();
  rows_since_.reset();
  refilling_ = false;
  clock_.set(redis_time, now);
  if (!started_at_) started_at_ = now.boot;
  pulses_.connected(redis_time, now);
  pulses_until_count_ = 0;
  row_repeat_ = rows_repeat_ = {};
  // After an outage all hosts connect at once, and each row goes to all hosts.
  const Duration spread = kWindowPerHost / 2 * static_cast<std::int64_t>(table_.size() + 1);
  row_from_ = now.boot + Duration(static_cast<std::int64_t>(
                             random_.below(static_cast<std::uint64_t>(spread.count()))));
  row_due_ = row_from_;
  rows_due_ = row_from_ + kRowsAfterRow;
  for (auto& [id, one] : unpublished_) one = {now.boot, {}};
  bus_.read_items();
  update_currency(now);
}

void HostReplica::on_redis_time(WallTime redis_time, const Now& now) {
  clock_.set(redis_time, now);
}

void HostReplica::on_disconnected(const Now& now) {
  connected_ = false;
  rows_since_.reset();
  pulses_.disconnected();
  update_currency(now);
}

WallTime HostReplica::action_time(const Now& now) const {
  const WallTime redis = clock_.time(now);
  return redis > now.wall && redis - now.wall <= kClockTolerance ? redis : now.wall;
}

// ---- Currency.

bool HostReplica::was_ever_current(const Now& now) const {
  return settings_.was_current_at && clock_.time(now) < *settings_.was_current_at + kForgetCurrent;
}

Currency HostReplica::judge(const Now& now) const {
  if (too_old_) return Currency::kTooOld;
  if (shared_at_ && now.boot < *shared_at_ + kKeepWanted) return Currency::kHostIdShared;
  if (full_at_) return Currency::kFull;
  if (is_covered(now)) return Currency::kCurrent;
  if (!connected_) return Currency::kDisconnected;
  if (pulses_.uncovered(now) != nullptr) return Currency::kBehind;
  if (pulses_.sees_wrong_time(now)) return Currency::kClockDiffers;
  return was_ever_current(now) ? Currency::kNoPulse : Currency::kNeverCurrent;
}

void HostReplica::update_currency(const Now& now) {
  const Currency before = currency_;
  currency_ = judge(now);
  if (currency_ == Currency::kCurrent) {
    lost_at_.reset();
    remember(now);
  } else {
    current_since_.reset();
    if (!lost_at_) lost_at_ = now.boot;
  }
  if (before != currency_) row_due_ = std::min(row_due_, now.boot);
  if (currency_ == Currency::kCurrent) {
    answers_ = true;
  } else if (!was_ever_current(now)) {
    answers_ = settings_.join == WhenLost::kServe;
  } else {
    answers_ =
        settings_.when_lost == WhenLost::kServe || now.boot < *lost_at_ + settings_.lost_after;
  }
}

// A host that was current may write pulses when no other does, and its own pulse makes it current. So
// it must have everything that it had then, also after a power failure, and all authors must know it.
void HostReplica::remember(const Now& now) {
  settings_.was_current_at = clock_.time(now);
  if (!current_since_) current_since_ = now.boot;
  settled_ |= now.boot >= *current_since_ + kSettled;
  if (!settled_ || now.boot < remember_at_ || items_.not_durable() > 0) return;
  remember_at_ = now.boot + kRemember;
  rules_.remember_current(*settings_.was_current_at);
}

PulseMonitor::Rank HostReplica::rank(const Now& now) const {
  if (!items_read_ || full_at_ || too_old_) return PulseMonitor::Rank::kNone;
  if (is_covered(now)) return PulseMonitor::Rank::kCurrent;
  if (!was_ever_current(now) || !settled_)
    return settings_.join == WhenLost::kServe ? PulseMonitor::Rank::kFounder
                                              : PulseMonitor::Rank::kNone;
  return pulses_.behind_since() ? PulseMonitor::Rank::kBehind : PulseMonitor::Rank::kWasCurrent;
}

// ---- Status.

std::size_t HostReplica::queued() const {
  return exchange_.queued() + unpublished_.size() + wanted_.size() + acknowledged_.size();
}

FleetStatus HostReplica::status(const Now& now) const {
  return {.currency = currency_,
          .answers = answers_,
          .last_pulse = pulses_.last()
                            ? std::optional(WallTime(Duration(pulses_.last()->redis_time)))
                            : std::nullopt,
          .pulse_age = pulses_.age(now),
          .clock_ahead = clock_.wall_ahead(now),
          .items = items_.size(),
          .unpublished = items_.unpublished(),
          .not_durable = items_.not_durable(),
          .hosts = table_.size(),
          .writes_pulse = pulses_.wrote_last(),
          .counters = counters_};
}

std::vector<HostStatus> HostReplica::hosts(const Now&) const {
  std::vector<HostStatus> all;
  table_.each([&](const HostTable::HostKey& host, const proto::FleetRow& row) {
    all.push_back({.id = {host},
                   .name = row.name,
                   .version = row.version,
                   .currency = row.currency <= static_cast<std::uint8_t>(Currency::kHostIdShared)
                                   ? static_cast<Currency>(row.currency)
                                   : Currency::kNoPulse,
                   .written_at = WallTime(Duration(row.redis_time)),
                   .items = row.items,
                   .is_this_host = host == settings_.host.bytes});
  });
  std::sort(all.begin(), all.end(),
            [](const HostStatus& a, const HostStatus& b) { return a.name < b.name; });
  return all;
}

std::optional<std::string> HostReplica::name_of(const claims::HostId& host) const {
  const proto::FleetRow* const row = table_.find(host.bytes);
  return row == nullptr ? std::nullopt : std::optional(row->name);
}

const char* text_of(Currency currency) {
  switch (currency) {
    case Currency::kCurrent: return "current";
    case Currency::kNeverCurrent: return "never current";
    case Currency::kDisconnected: return "disconnected";
    case Currency::kNoPulse: return "no pulse";
    case Currency::kClockDiffers: return "clock differs";
    case Currency::kBehind: return "behind";
    case Currency::kTooOld: return "version too old";
    case Currency::kFull: return "full";
    case Currency::kHostIdShared: return "host id shared";
  }
  return "unknown";
}

}  // namespace claimsd::fleet
