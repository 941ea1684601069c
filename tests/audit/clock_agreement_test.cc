// When the wall clock can be believed.
#include "daemon/audit/clock_agreement.h"

#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

constexpr Now kStart{BootTime(seconds(1000)), kNoon};
constexpr Duration kSevenYears = std::chrono::hours(24 * 365 * 7);

Now after(Duration elapsed, Duration set = {}) {
  return {kStart.boot + elapsed, kStart.wall + elapsed + set};
}

}  // namespace

TEST_CASE("clocks that advance alike are believed after some hours, not at the start") {
  ClockAgreement clocks(kStart);
  CHECK_FALSE(clocks.proven(kStart.boot));
  CHECK_FALSE(clocks.observe(after(std::chrono::hours(6), seconds(3))));
  CHECK(clocks.proven(after(std::chrono::hours(6)).boot));
  CHECK_FALSE(clocks.jumped_at());
}

TEST_CASE("a wall clock that is set, forth or back, is reported once and not believed for hours") {
  ClockAgreement clocks(kStart);
  const Duration day = std::chrono::hours(24);
  CHECK(clocks.observe(after(day, kSevenYears)) == kSevenYears);
  CHECK_FALSE(clocks.observe(after(day + seconds(1), kSevenYears)));
  CHECK_FALSE(clocks.proven(after(day + seconds(3)).boot));
  CHECK(clocks.observe(after(day + seconds(3))) == -kSevenYears);
  CHECK(clocks.jumped_at() == after(day + seconds(3)).boot);
  CHECK_FALSE(clocks.proven(after(day + std::chrono::hours(5)).boot));
  CHECK(clocks.proven(after(day + std::chrono::hours(7)).boot));
}

TEST_CASE("many small steps of the wall clock add up to a jump") {
  ClockAgreement clocks(kStart);
  int jumps = 0;
  for (int i = 1; i <= 100; ++i) jumps += clocks.observe(after(seconds(i), seconds(2 * i))) ? 1 : 0;
  CHECK(jumps == 3);
}
