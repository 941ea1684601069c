#include "daemon/fleet/pulse_monitor.h"

#include <algorithm>
#include <vector>

#include "daemon/fleet/limits.h"
#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::fleet {
namespace {

using Judgement = PulseMonitor::Judgement;
using Rank = PulseMonitor::Rank;

struct Fixture {
  Fixture() { clock.set(fake.now().wall, fake.now()); }
  Now now() const { return fake.now(); }
  proto::FleetPulse pulse(std::uint64_t number, Duration ahead = {}) const {
    const auto time = (clock.time(now()) + ahead).time_since_epoch();
    return {.number = number, .redis_time = time.count(), .horizon = (time + kHorizon).count()};
  }
  Judgement take(const proto::FleetPulse& pulse, bool is_own = false) {
    return monitor.take(pulse, is_own, clock, now());
  }
  bool is_due_within(Rank rank, Duration time, std::size_t hosts = 3) {
    for (Duration waited{}; waited < time; waited += kTick) {
      if (monitor.is_due(rank, hosts, random, now())) return true;
      fake.advance(kTick);
    }
    return false;
  }

  testing::FakeClock fake;
  testing::SeededRandom random{1};
  FleetClock clock;
  PulseMonitor monitor;
};

TEST_CASE("a covered pulse makes the host current for two and a half seconds") {
  Fixture at;
  CHECK_FALSE(at.monitor.is_current(at.now()));
  CHECK(at.take(at.pulse(1)) == Judgement::kFresh);
  CHECK_FALSE(at.monitor.is_current(at.now()));
  at.monitor.set_covered();
  at.fake.advance(milliseconds(2'499));
  CHECK(at.monitor.is_current(at.now()));
  at.fake.advance(milliseconds(1));
  CHECK_FALSE(at.monitor.is_current(at.now()));
}

TEST_CASE("a pulse that was delayed counts from when it was written") {
  Fixture at;
  const proto::FleetPulse pulse = at.pulse(1);
  at.fake.advance(milliseconds(1'500));
  CHECK(at.take(pulse) == Judgement::kFresh);
  at.monitor.set_covered();
  at.fake.advance(milliseconds(999));
  CHECK(at.monitor.is_current(at.now()));
  at.fake.advance(milliseconds(1));
  CHECK_FALSE(at.monitor.is_current(at.now()));
}

TEST_CASE("a pulse with another time, an old number or a far horizon is refused") {
  Fixture at;
  CHECK(at.take(at.pulse(5)) == Judgement::kFresh);
  CHECK(at.take(at.pulse(5)) == Judgement::kOldNumber);
  CHECK(at.take(at.pulse(4)) == Judgement::kOldNumber);
  CHECK(at.take(at.pulse(6, milliseconds(2'001))) == Judgement::kWrongTime);
  CHECK(at.take(at.pulse(6, milliseconds(-2'001))) == Judgement::kWrongTime);
  CHECK(at.monitor.sees_wrong_time(at.now()));
  proto::FleetPulse far = at.pulse(6);
  far.horizon += Duration(std::chrono::hours(1)).count();
  CHECK(at.take(far) == Judgement::kImplausible);
  CHECK(at.take(at.pulse(6)) == Judgement::kFresh);
}

TEST_CASE("a pulse from before this host connected is refused") {
  Fixture at;
  const proto::FleetPulse before = at.pulse(1);
  at.fake.advance(milliseconds(500));
  at.monitor.connected(at.clock.time(at.now()), at.now());
  at.fake.advance(milliseconds(100));
  CHECK(at.take(before) == Judgement::kTooEarly);
  CHECK(at.take(at.pulse(2)) == Judgement::kFresh);
}

TEST_CASE("the host that wrote the last pulse goes on every second, others wait for it") {
  Fixture at;
  at.take(at.pulse(1), true);
  at.monitor.set_covered();
  CHECK_FALSE(at.is_due_within(Rank::kCurrent, milliseconds(1'000)));
  CHECK(at.is_due_within(Rank::kCurrent, milliseconds(100)));
  at.take(at.pulse(2), false);
  CHECK_FALSE(at.is_due_within(Rank::kCurrent, milliseconds(1'250)));
  CHECK(at.is_due_within(Rank::kCurrent, milliseconds(800)));
}

TEST_CASE("hosts write a pulse in the order of their rank, and a new host never does") {
  Fixture at;
  at.monitor.connected(at.clock.time(at.now()), at.now());
  CHECK_FALSE(at.is_due_within(Rank::kNone, seconds(60)));
  at.monitor.connected(at.clock.time(at.now()), at.now());
  CHECK_FALSE(at.is_due_within(Rank::kFounder, seconds(10)));
  CHECK(at.is_due_within(Rank::kFounder, seconds(6)));
  at.monitor.connected(at.clock.time(at.now()), at.now());
  CHECK_FALSE(at.is_due_within(Rank::kWasCurrent, milliseconds(1'450)));
  CHECK(at.is_due_within(Rank::kWasCurrent, milliseconds(1'600)));
  at.monitor.connected(at.clock.time(at.now()), at.now());
  CHECK_FALSE(at.is_due_within(Rank::kBehind, seconds(29)));
}

TEST_CASE("of a thousand hosts that miss a pulse, few write one before the first arrives") {
  constexpr Duration kArrives = milliseconds(200);
  Fixture at;
  Duration first = Duration::max();
  std::vector<Duration> waits;
  for (int host = 0; host < 1000; ++host) {
    at.monitor.connected(at.clock.time(at.now()), at.now());
    const BootTime begin = at.now().boot;
    REQUIRE(at.is_due_within(Rank::kCurrent, seconds(2) + kTick, 1000));
    waits.push_back(at.now().boot - begin);
    first = std::min(first, waits.back());
  }
  CHECK(first < milliseconds(1'600));
  const auto is_early = [&](Duration wait) { return wait < first + kArrives; };
  CHECK(std::count_if(waits.begin(), waits.end(), is_early) < 30);
}

TEST_CASE("numbers rise, also after a start without a pulse") {
  Fixture at;
  const WallTime time = at.now().wall;
  const std::uint64_t first = at.monitor.next_number(time);
  CHECK(at.monitor.next_number(time + seconds(1)) > first);
  at.take(at.pulse(first + 1'000'000));
  CHECK(at.monitor.next_number(time) == first + 1'000'001);
}

}  // namespace
}  // namespace claimsd::fleet
