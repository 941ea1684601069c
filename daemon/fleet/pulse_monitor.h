// pulse_monitor.h: judges pulses: which is fresh, until when the last covered one makes this host
// current, and when this host should write one itself.
//
// A pulse is fresh if its time is that of Redis within kClockTolerance, it was written after this host
// connected, and its number is higher than any before. A replayed or delayed pulse is neither. Each host writes a pulse only if it misses one:
// the host that wrote the last goes on; if it fails, hosts that are current follow after a random
// delay, then other hosts that were current before. Two that write at once do no harm. Value; loop
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include "daemon/fleet/fleet_clock.h"
#include "proto/fleet_messages.h"

namespace claimsd::fleet {

class PulseMonitor {
 public:
  enum class Judgement : std::uint8_t { kFresh, kWrongTime, kTooEarly, kOldNumber, kImplausible };
  // A fresh pulse replaces the one before.
  Judgement take(const proto::FleetPulse& pulse, bool is_own, const FleetClock& clock,
                 const Now& now);

  // The last fresh pulse, while it is not covered and recent enough to make the host current.
  const proto::FleetPulse* uncovered(const Now& now) const;
  void set_covered();

  // Whether a covered pulse is at most kPulseLimit old.
  bool is_current(const Now& now) const { return now.boot < current_until_; }
  // Since when fresh pulses have not been covered; nullopt: the last one was.
  std::optional<BootTime> behind_since() const { return behind_since_; }
  const std::optional<proto::FleetPulse>& last() const { return last_; }
  std::optional<Duration> age(const Now& now) const;
  bool wrote_last() const { return last_ && wrote_last_; }
  // A pulse whose time is wrong has arrived within the limit.
  bool sees_wrong_time(const Now& now) const { return now.boot < wrong_time_until_; }

  // How a host may write pulses, in the order of preference.
  enum class Rank : std::uint8_t { kCurrent, kWasCurrent, kBehind, kFounder, kNone };
  // Pulses from before `redis_time` are refused: over this connection they can only be replays, and an
  // action that came after them may have been lost by the server.
  void connected(WallTime redis_time, const Now& now);
  void disconnected() { due_.reset(); }
  // Whether it is time for a pulse of this host, one of so many.
  bool is_due(Rank rank, std::size_t hosts, Random& random, const Now& now);
  void wrote(const Now& now);
  // The number for the next pulse.
  std::uint64_t next_number(WallTime redis_time) const;

 private:
  void schedule(Rank rank, std::size_t hosts, Random& random);

  std::optional<proto::FleetPulse> last_;
  BootTime last_at_{};          // when it arrived
  BootTime last_written_at_{};  // the earlier of its time and its arrival
  bool is_covered_ = false;
  bool wrote_last_ = false;
  std::uint64_t highest_ = 0;
  WallTime connected_at_ = WallTime::min();  // Redis time
  BootTime current_until_ = BootTime::min();
  BootTime wrong_time_until_ = BootTime::min();
  std::optional<BootTime> behind_since_;
  BootTime quiet_since_{};  // the last pulse, or the connection
  std::optional<BootTime> due_;
  Rank due_rank_ = Rank::kNone;
};

}  // namespace claimsd::fleet
