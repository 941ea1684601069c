#include "daemon/loop/timer_fd.h"

#include <optional>

#include "daemon/loop/prepare.h"
#include "tests/support/catch.h"
#include "tests/support/loop_runner.h"

namespace claimsd::loop {
namespace {

using test::new_loop;
using test::run_until;
using test::settle;

TimerFd timer_on(Loop& loop, TimerFd::Callback callback) {
  auto timer = TimerFd::create(loop, std::move(callback));
  REQUIRE(timer);
  return std::move(*timer);
}

TEST_CASE("a kernel timer fires once, not before its time") {
  const auto loop = new_loop();
  int fired = 0;
  TimerFd timer = timer_on(*loop, [&] { ++fired; });
  const Duration start = Loop::hrtime();
  timer.start(milliseconds(20));
  CHECK(timer.active());
  run_until(*loop, [&] { return fired > 0; });
  CHECK(Loop::hrtime() - start >= milliseconds(20));
  CHECK_FALSE(timer.active());
  settle(*loop);
  CHECK(fired == 1);
}

TEST_CASE("a kernel timer without delay fires in the next iteration") {
  const auto loop = new_loop();
  int fired = 0;
  TimerFd timer = timer_on(*loop, [&] { ++fired; });
  timer.start({});
  run_until(*loop, [&] { return fired == 1; });
}

TEST_CASE("a repeating kernel timer fires until it is stopped") {
  const auto loop = new_loop();
  int fired = 0;
  std::optional<TimerFd> timer;
  timer = timer_on(*loop, [&] {
    if (++fired == 3) timer->stop();
  });
  timer->start(milliseconds(1), milliseconds(1));
  run_until(*loop, [&] { return fired == 3; });
  CHECK_FALSE(timer->active());
  settle(*loop);
  CHECK(fired == 3);
}

TEST_CASE("restarting a kernel timer replaces its setting") {
  const auto loop = new_loop();
  int fired = 0;
  TimerFd timer = timer_on(*loop, [&] { ++fired; });
  timer.start(seconds(3600));
  timer.start(milliseconds(1));
  run_until(*loop, [&] { return fired == 1; });
}

TEST_CASE("a stopped kernel timer does not fire, even if it was already due") {
  const auto loop = new_loop();
  int fired = 0;
  TimerFd timer = timer_on(*loop, [&] { ++fired; });
  timer.start({});
  timer.stop();
  settle(*loop);
  CHECK(fired == 0);
}

TEST_CASE("a kernel timer may be destroyed inside its own callback") {
  const auto loop = new_loop();
  std::optional<TimerFd> timer;
  bool fired = false;
  timer = timer_on(*loop, [&] {
    fired = true;
    timer.reset();
  });
  timer->start({});
  run_until(*loop, [&] { return fired; });
  settle(*loop);
  CHECK_FALSE(timer);
}

TEST_CASE("the hook created first runs last and sees the effects of the others") {
  const auto loop = new_loop();
  std::string order;
  const TimerFd keeps_it_running = timer_on(*loop, [] {});
  const Prepare first(*loop, [&] { order += "1"; });
  const Prepare second(*loop, [&] { order += "2"; });
  const Prepare third(*loop, [&] { order += "3"; });
  loop->run_ready();
  loop->run_ready();
  CHECK(order == "321321");
}

TEST_CASE("a BeforeWait hook runs before each wait, after all other events of the iteration") {
  const auto loop = new_loop();
  int turns = 0;
  int fired = 0;
  int seen = 0;
  TimerFd timer = timer_on(*loop, [&] { ++fired; });
  std::optional<Prepare> hook;
  hook.emplace(*loop, [&] {
    ++turns;
    seen = fired;
  });
  timer.start({});
  run_until(*loop, [&] { return seen == 1; });
  CHECK(turns >= 2);
  hook.reset();
  const int before = turns;
  settle(*loop);
  CHECK(turns == before);
}

}  // namespace
}  // namespace claimsd::loop
