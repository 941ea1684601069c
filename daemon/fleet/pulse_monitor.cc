#include "daemon/fleet/pulse_monitor.h"

#include <algorithm>
#include <cmath>

#include "daemon/fleet/limits.h"

namespace claimsd::fleet {
namespace {

// After this time without a pulse, plus a random part of `spread`, a host writes one.
struct Delay {
  Duration least;
  Duration spread;
};
Delay delay_of(PulseMonitor::Rank rank) {
  switch (rank) {
    case PulseMonitor::Rank::kCurrent: return {milliseconds(1'300), milliseconds(700)};
    case PulseMonitor::Rank::kWasCurrent: return {milliseconds(1'500), milliseconds(1'500)};
    case PulseMonitor::Rank::kBehind: return {seconds(30), seconds(10)};
    case PulseMonitor::Rank::kFounder: return {seconds(10), seconds(5)};
    case PulseMonitor::Rank::kNone: break;
  }
  return {Duration::max(), Duration(0)};
}

// Of n hosts about n^x draw a part below x: few are early, and their pulse stops the others before it
// is their turn. Drawn evenly, a part of the hosts that grows with their number would write one while
// the first is on its way, and each pulse goes to all hosts.
double part_of_spread(std::size_t hosts, Random& random) {
  constexpr std::uint64_t kSteps = 1ULL << 32U;
  const double drawn = static_cast<double>(random.below(kSteps) + 1) / static_cast<double>(kSteps);
  const auto size = static_cast<double>(std::max<std::size_t>(hosts, 2));
  return std::max(0.0, 1 + std::log(drawn) / std::log(size));
}

// A horizon further from the time of the pulse would exclude items that must be covered.
constexpr Duration kMaxHorizon = std::chrono::minutes(5);

}  // namespace

PulseMonitor::Judgement PulseMonitor::take(const proto::FleetPulse& pulse, bool is_own,
                                           const FleetClock& clock, const Now& now) {
  const WallTime written(Duration(pulse.redis_time));
  const Duration difference = written - clock.time(now);
  if (difference > kClockTolerance || difference < -kClockTolerance) {
    wrong_time_until_ = now.boot + kPulseLimit;
    return Judgement::kWrongTime;
  }
  if (written < connected_at_) return Judgement::kTooEarly;
  const Duration ahead = WallTime(Duration(pulse.horizon)) - written;
  if (ahead < -kMaxHorizon || ahead > kMaxHorizon) return Judgement::kImplausible;
  if (pulse.number <= highest_) return Judgement::kOldNumber;
  highest_ = pulse.number;
  last_ = pulse;
  last_at_ = now.boot;
  last_written_at_ = std::min(now.boot, clock.boot_at(written, now));
  wrote_last_ = is_own;
  is_covered_ = false;
  if (!behind_since_) behind_since_ = now.boot;
  quiet_since_ = now.boot;
  due_.reset();
  return Judgement::kFresh;
}

const proto::FleetPulse* PulseMonitor::uncovered(const Now& now) const {
  return last_ && !is_covered_ && now.boot < last_written_at_ + kPulseLimit ? &*last_ : nullptr;
}

void PulseMonitor::set_covered() {
  is_covered_ = true;
  behind_since_.reset();
  current_until_ = std::max(current_until_, last_written_at_ + kPulseLimit);
}

std::optional<Duration> PulseMonitor::age(const Now& now) const {
  if (!last_) return std::nullopt;
  return now.boot - last_at_;
}

void PulseMonitor::connected(WallTime redis_time, const Now& now) {
  connected_at_ = redis_time;
  quiet_since_ = now.boot;
  wrote_last_ = false;
  due_.reset();
}

void PulseMonitor::schedule(Rank rank, std::size_t hosts, Random& random) {
  due_rank_ = rank;
  if (wrote_last_ && rank == Rank::kCurrent) {
    due_ = quiet_since_ + kPulseInterval;
    return;
  }
  const Delay delay = delay_of(rank);
  const double part = part_of_spread(hosts, random) * static_cast<double>(delay.spread.count());
  due_ = quiet_since_ + delay.least + Duration(static_cast<std::int64_t>(part));
}

bool PulseMonitor::is_due(Rank rank, std::size_t hosts, Random& random, const Now& now) {
  if (rank == Rank::kNone) {
    due_.reset();
    return false;
  }
  if (!due_ || due_rank_ != rank) schedule(rank, hosts, random);
  return *due_ <= now.boot;
}

// Until the pulse comes back, the next is due as if it had.
void PulseMonitor::wrote(const Now& now) {
  quiet_since_ = now.boot;
  due_.reset();
}

std::uint64_t PulseMonitor::next_number(WallTime redis_time) const {
  const auto milliseconds_since = std::chrono::floor<milliseconds>(redis_time.time_since_epoch());
  return std::max(highest_ + 1, static_cast<std::uint64_t>(milliseconds_since.count()));
}

}  // namespace claimsd::fleet
