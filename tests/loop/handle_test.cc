#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <optional>
#include <thread>

#include "daemon/loop/async.h"
#include "daemon/loop/idle.h"
#include "daemon/loop/poll.h"
#include "daemon/loop/signal_watcher.h"
#include "daemon/loop/timer.h"
#include "tests/loop/sockets.h"
#include "tests/support/catch.h"
#include "tests/support/loop_runner.h"

namespace claimsd::loop {
namespace {

using test::new_loop;
using test::run_until;
using test::settle;

TEST_CASE("a one-shot timer fires once, not before its delay") {
  const auto loop = new_loop();
  int fired = 0;
  Timer timer(*loop, [&] { ++fired; });
  const Duration begin = Loop::hrtime();
  timer.start(milliseconds(20));
  loop->run();  // returns when no handle is active
  CHECK(fired == 1);
  CHECK(Loop::hrtime() - begin >= milliseconds(20));
  CHECK_FALSE(timer.active());
}

TEST_CASE("a repeating timer runs until its callback stops it") {
  const auto loop = new_loop();
  int fired = 0;
  std::optional<Timer> timer;
  timer.emplace(*loop, [&] {
    if (++fired == 3) timer->stop();
  });
  timer->start(milliseconds(1), milliseconds(1));
  loop->run();
  CHECK(fired == 3);
}

TEST_CASE("an EachTurn callback leaves room for other events between iterations") {
  const auto loop = new_loop();
  const Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::vector<char> order;
  auto poll = Poll::create(*loop, event.get(), [&](const PollEvents&) {
    eventfd_t value = 0;
    eventfd_read(event.get(), &value);
    order.push_back('e');
  });
  REQUIRE(poll);
  REQUIRE(poll->start(true, false));
  std::optional<Idle> turns;
  turns.emplace(*loop, [&] {
    order.push_back('t');
    eventfd_write(event.get(), 1);
    if (order.size() < 5) return turns->start();  // already started: no effect
    turns->stop();
    loop->stop();
  });
  turns->start();
  loop->run();
  CHECK(order == std::vector<char>{'t', 'e', 't', 'e', 't', 'e'});
}

TEST_CASE("a timer may destroy itself inside its callback") {
  const auto loop = new_loop();
  const auto tracked = std::make_shared<int>(7);
  int seen = 0;
  std::optional<Timer> timer;
  timer.emplace(*loop, [&timer, &seen, tracked] {
    timer.reset();
    seen = *tracked;  // the callback's captures still exist
  });
  timer->start(milliseconds(1), milliseconds(1));
  loop->run();
  CHECK(seen == 7);
  settle(*loop);
  CHECK(tracked.use_count() == 1);  // freed afterwards
}

TEST_CASE("a destroyed timer does not fire") {
  const auto loop = new_loop();
  bool fired = false;
  {
    Timer(*loop, [&] { fired = true; }).start({});
  }
  settle(*loop);
  CHECK_FALSE(fired);
}

TEST_CASE("stop() ends run() while handles are active") {
  const auto loop = new_loop();
  Timer forever(*loop, [] {});
  forever.start(seconds(3600));
  Timer stopper(*loop, [&] { loop->stop(); });
  stopper.start({});
  loop->run();
  CHECK(forever.active());
}

TEST_CASE("a notification from another thread wakes the loop") {
  const auto loop = new_loop();
  int woken = 0;
  auto async = Async::create(*loop, [&] { ++woken; });
  REQUIRE(async);
  std::jthread other([&] { async->notify(); });
  run_until(*loop, [&] { return woken > 0; });
  CHECK(woken == 1);
}

TEST_CASE("an Async destroyed with a pending notification does not call back") {
  const auto loop = new_loop();
  bool called = false;
  {
    auto async = Async::create(*loop, [&] { called = true; });
    REQUIRE(async);
    async->notify();
  }
  settle(*loop);
  CHECK_FALSE(called);
}

TEST_CASE("a signal is delivered on the loop") {
  const auto loop = new_loop();
  int got = 0;
  auto watcher = SignalWatcher::create(*loop, SIGUSR1, [&](int number) { got = number; });
  REQUIRE(watcher);
  REQUIRE(raise(SIGUSR1) == 0);
  run_until(*loop, [&] { return got != 0; });
  CHECK(got == SIGUSR1);
}

TEST_CASE("a signal that cannot be watched is an error that names it") {
  const auto loop = new_loop();
  const auto watcher = SignalWatcher::create(*loop, SIGKILL, [](int) {});
  REQUIRE_FALSE(watcher);
  CHECK(watcher.error().message.find("signal 9") != std::string::npos);
}

TEST_CASE("a poll reports the events it was started for, and none after stop()") {
  const auto loop = new_loop();
  const Fd event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  int readable = 0;
  int writable = 0;
  auto poll = Poll::create(*loop, event.get(), [&](const PollEvents& events) {
    readable += events.readable;
    writable += events.writable;
    CHECK(events.error == 0);
  });
  REQUIRE(poll);
  REQUIRE(poll->start(true, false));
  settle(*loop);
  CHECK(readable == 0);
  REQUIRE(eventfd_write(event.get(), 1) == 0);
  run_until(*loop, [&] { return readable > 0; });
  CHECK(writable == 0);
  REQUIRE(poll->start(false, true));
  run_until(*loop, [&] { return writable > 0; });
  poll->stop();
  const int before = readable + writable;
  settle(*loop);
  CHECK(readable + writable == before);
}

TEST_CASE("a poll reports an error of its descriptor") {
  const auto loop = new_loop();
  int ends[2] = {-1, -1};
  REQUIRE(pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0);
  Fd reader(ends[0]);
  const Fd writer(ends[1]);
  int error = 0;
  auto poll =
      Poll::create(*loop, writer.get(), [&](const PollEvents& events) { error = events.error; });
  REQUIRE(poll);
  reader.reset();  // epoll reports POLLERR on the write end of a pipe without a reader
  REQUIRE(poll->start(false, true));
  run_until(*loop, [&] { return error != 0; });
  CHECK(error < 0);
}

TEST_CASE("a poll can be restarted after its descriptor number was reused for another file") {
  const auto loop = new_loop();
  Fd event(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  const int number = event.get();
  int readable = 0;
  auto poll =
      Poll::create(*loop, number, [&](const PollEvents& events) { readable += events.readable; });
  REQUIRE(poll);
  REQUIRE(poll->start(true, false));
  run_until(*loop, [&] { return readable > 0; });
  poll->stop();
  event.reset();
  event = Fd(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC));
  REQUIRE(event.get() == number);
  readable = 0;
  REQUIRE(poll->start(true, false));
  run_until(*loop, [&] { return readable > 0; });
}

TEST_CASE("a descriptor that cannot be polled is an error") {
  const auto loop = new_loop();
  const auto poll = Poll::create(*loop, -1, [](const PollEvents&) {});
  REQUIRE_FALSE(poll);
  CHECK(poll.error().message.find("-1") != std::string::npos);
}

}  // namespace
}  // namespace claimsd::loop
