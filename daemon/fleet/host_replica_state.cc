// What a HostReplica is at each moment: connected, current, and what it says of itself.
#include <algorithm>

#include "daemon/fleet/host_replica.h"
#include "daemon/fleet/rules.h"

namespace claimsd::fleet {
namespace {

constexpr Duration kKeepShared = std::chrono::minutes(1);
constexpr Duration kRowsAfterRow = milliseconds(200);  // this host's row is to be among them
constexpr Duration kRemember = std::chrono::hours(1);
// Before other hosts drop this host from their tables, it stops to count as one that was current.
constexpr Duration kForgetCurrent = kHostRetention - std::chrono::hours(24);

}  // namespace

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
  if (shared_at_ && now.boot < *shared_at_ + kKeepShared) return Currency::kHostIdShared;
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
          .last_pulse =
              pulses_.last() ? std::optional(wall_time(pulses_.last()->redis_time)) : std::nullopt,
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
                   .written_at = wall_time(row.redis_time),
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
