// loop_runner.h: turns a loop until something has happened, or fails the test after a while. Loop
// thread.
#pragma once

#include <functional>

#include "daemon/loop/loop.h"
#include "daemon/loop/timer.h"
#include "tests/support/catch.h"

namespace claimsd::test {

// The guard is far above what any machine needs: it ends tests that would hang, it measures
// nothing. It ticks because a callback that a timer makes happen would otherwise be noticed only
// with the next event.
inline void run_until(daemon::Loop& loop, const std::function<bool()>& happened,
                      daemon::Duration guard = daemon::seconds(20)) {
  const daemon::Duration give_up = daemon::Loop::hrtime() + guard;
  daemon::Timer tick(loop, [] {});
  tick.start(daemon::milliseconds(5), daemon::milliseconds(5));
  while (!happened() && daemon::Loop::hrtime() < give_up) loop.run_once();
  if (!happened()) FAIL("what the test waits for has not happened in time");
}

// What is ready now is handled, and so is what that leads to at once; nothing is waited for.
inline void settle(daemon::Loop& loop) {
  for (int turn = 0; turn < 5; ++turn) loop.run_ready();
}

inline std::unique_ptr<daemon::Loop> new_loop() {
  auto loop = daemon::Loop::create();
  REQUIRE(loop);
  return std::move(*loop);
}

}  // namespace claimsd::test
