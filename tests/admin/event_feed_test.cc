#include "daemon/admin/event_feed.h"

#include "tests/loop/sockets.h"
#include "tests/support/catch.h"
#include "tests/support/fake_world.h"
#include "tests/support/loop_runner.h"

namespace claimsd::admin {
namespace {

struct Feed {
  std::unique_ptr<loop::Loop> loop = test::new_loop();
  testing::FakeClock clock;
  EventFeed feed{*loop, clock};

  std::optional<EventFeed::WaitId> wait(std::optional<std::uint32_t> uid) {
    return feed.wait(feed.last(), seconds(10), uid, [] {});
  }
};

TEST_CASE("one uid can hold at most half of the waits for events, so another uid can still wait") {
  Feed test;
  for (std::size_t i = 0; i < EventFeed::kMaxWaitingPerUid; ++i) CHECK(test.wait(1000));
  CHECK_FALSE(test.wait(1000));
  CHECK(test.wait(0));
}

TEST_CASE("a reader that has left gives its place back and is not woken") {
  Feed test;
  std::vector<EventFeed::WaitId> ids;
  for (std::size_t i = 0; i < EventFeed::kMaxWaitingPerUid; ++i) ids.push_back(*test.wait(1000));
  REQUIRE_FALSE(test.wait(1000));
  bool woken = false;
  test.feed.cancel(ids.front());
  const auto last = test.feed.wait(test.feed.last(), seconds(10), 1000, [&] { woken = true; });
  REQUIRE(last);
  test.feed.cancel(*last);
  bool other = false;
  REQUIRE(test.feed.wait(test.feed.last(), seconds(10), 1000, [&] { other = true; }));
  test.feed.add({.kind = EventKind::kPurged});
  test::run_until(*test.loop, [&] { return other; });
  CHECK_FALSE(woken);
}

}  // namespace
}  // namespace claimsd::admin
