// loop_runner.h: runs an event loop until a condition holds, or fails the test. Loop thread only.
#pragma once

#include <functional>

#include "daemon/loop/loop.h"
#include "daemon/loop/timer.h"
#include "tests/support/catch.h"

namespace claimsd::test {

// `guard` is far above what any machine needs: it only ends tests that would hang. The loop is also
// woken periodically, because the condition may become true in a timer callback without any event.
inline void run_until(daemon::Loop& loop, const std::function<bool()>& happened,
                      daemon::Duration guard = daemon::seconds(20)) {
  const daemon::Duration give_up = daemon::Loop::hrtime() + guard;
  daemon::Timer tick(loop, [] {});
  tick.start(daemon::milliseconds(5), daemon::milliseconds(5));
  while (!happened() && daemon::Loop::hrtime() < give_up) loop.run_once();
  if (!happened()) FAIL("the event that the test waits for did not happen in time");
}

// Handles what is ready now and what follows from it immediately, without waiting.
inline void settle(daemon::Loop& loop) {
  for (int turn = 0; turn < 5; ++turn) loop.run_ready();
}

inline std::unique_ptr<daemon::Loop> new_loop() {
  auto loop = daemon::Loop::create();
  REQUIRE(loop);
  return std::move(*loop);
}

}  // namespace claimsd::test
