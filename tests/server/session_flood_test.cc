// A session that sends more queries than its peer's rate limit allows.
#include "daemon/server/peer_table.h"
#include "tests/server/session_fixture.h"

namespace claimsd::server {
namespace {

// A peer whose limit allows one request, with its own Auth API.
struct RateLimitedPeer : Fixture {
  RateLimitedPeer() {
    harness.policy.rate_limit.per_uid = {.per_second = 1, .burst = 1};
    harness.policy.rate_limit.reserved_percent = 0;
    harness.restart();
    SessionContext fresh{.service = *harness.service,
                         .clock = context.clock,
                         .daemon_version = "1",
                         .find_upstream = context.find_upstream};
    own.emplace(fresh);
    flooder.emplace(kConnection, *own, wire);
    flooder->consume(hello());
    REQUIRE(wire.take().welcome);
    harness.sink.on_answer = [this](const claims::Waiter& waiter) {
      flooder->answer(waiter.request, harness.answer(waiter).answer);
    };
  }

  // `count` queries with unknown tokens. Only the first one ever is sent on.
  std::string junk(std::uint32_t first, std::uint32_t count) {
    std::string frames;
    for (std::uint32_t request = first; request < first + count; ++request) {
      harness.sink.expect({kConnection, request});
      frames += query("junk-" + std::to_string(request), request);
    }
    return frames;
  }
  std::size_t answers() {
    std::size_t taken = 0;
    for (; !wire.empty(); ++taken) wire.take();
    return taken;
  }

  std::optional<SessionContext> own;
  std::optional<Session> flooder;
};

TEST_CASE("a session's time slice ends after a few rate-limited queries") {
  RateLimitedPeer fixture;
  Session& flooder = *fixture.flooder;
  flooder.consume(fixture.junk(1, 21));  // 20 rate-limited ones
  for (const std::size_t rejected : {8u, 8u, 4u}) {
    CHECK(fixture.answers() == rejected);
    CHECK(flooder.rate_limited() == rejected);
    CHECK(flooder.has_backlog() == (rejected == 8));
    flooder.consume({});
  }
  CHECK(flooder.open_queries() == 1);
}

TEST_CASE("frames kept for a later iteration are answered then, in order and once") {
  RateLimitedPeer fixture;
  Session& flooder = *fixture.flooder;
  const std::string all = fixture.junk(1, 13);
  const std::size_t cut = all.size() / 2 + 3;
  flooder.consume(all.substr(0, cut));
  CHECK(fixture.answers() > 0);
  flooder.keep(all.substr(cut));
  CHECK(flooder.has_backlog());
  CHECK(fixture.wire.empty());
  while (flooder.has_backlog()) flooder.consume({});
  flooder.consume(frame(proto::Ping{.echo = 1}, 99));
  std::uint32_t last = 0;
  while (!fixture.wire.empty()) {
    const std::uint32_t request = fixture.wire.take().request;
    CHECK(request > last);
    last = request;
  }
  CHECK(last == 99);
  CHECK(flooder.open_queries() == 1);
}

TEST_CASE("a uid over its limit is throttled across all its connections") {
  PeerTable peers;
  PeerRow& flooder = peers.enter(1000);
  REQUIRE(&peers.enter(1000) == &flooder);  // a second connection
  PeerRow& other = peers.enter(1001);
  for (std::size_t rejected = 1; rejected < PeerRow::kRejectionsPerPause; ++rejected)
    REQUIRE_FALSE(flooder.refuse(1));
  CHECK_FALSE(other.refuse(1));
  CHECK_FALSE(flooder.refuse(0));
  CHECK(flooder.refuse(1));
  CHECK_FALSE(flooder.refuse(0));  // a connection without rate-limited answers continues
  CHECK(flooder.refuse(1));
  peers.reset_rejected();
  CHECK_FALSE(flooder.refuse(1));
}

}  // namespace
}  // namespace claimsd::server
