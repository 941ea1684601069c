// The life of a lease: when an entry is shown to the workers, how long they may rely on it, and
// when it is taken back.
#include "daemon/claims/cache/leases.h"

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

namespace claimsd::daemon {
namespace {

using proto::Reason;
using testing::Asking;
using testing::confirmed;
using testing::FakePublisher;
using testing::jwt_expiring;
using testing::ServiceHarness;
using testing::status;

constexpr Asking kWorker{.wants_lease = true};

struct Fixture {
  explicit Fixture(const Policy& policy = testing::plain_policy()) : harness(policy) {}

  // What a lookup that begins now would find.
  const FakePublisher::Shown* shown(std::string_view token = "token-a") {
    return harness.publisher.find(harness.key_of(token));
  }
  void confirm(std::string_view token = "token-a", const FetchOutcome& outcome = status(200)) {
    harness.ask_and_land(token, outcome, kWorker);
  }
  Now now() { return harness.clock.now(); }
  std::size_t publications() { return harness.publisher.publications(); }

  ServiceHarness harness;
};

TEST_CASE("what the Auth API confirms is shown once it was answered, for the length of a lease") {
  Fixture fixture;
  bool shown_before_the_answer = false;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    shown_before_the_answer = fixture.shown() != nullptr;
  };
  const BootTime started = fixture.now().boot;
  fixture.harness.ask("token-a", kWorker);
  fixture.harness.advance(seconds(1));
  CHECK_FALSE(fixture.shown());
  fixture.harness.land_oldest(status(200));
  CHECK_FALSE(shown_before_the_answer);
  REQUIRE(fixture.shown());
  CHECK(fixture.shown()->user == "user-123");
  CHECK(fixture.shown()->confirmed_at == started);
  CHECK(fixture.shown()->end.lease == fixture.now().boot + seconds(5));
  CHECK(fixture.shown()->end.hard == WallTime::max());
  fixture.harness.advance(seconds(5));
  CHECK_FALSE(fixture.shown());
}

TEST_CASE("a worker without the map causes no lease, at a hit or at a miss") {
  Fixture fixture;
  fixture.harness.ask_and_land("token-a", status(200));
  fixture.harness.ask_now("token-a");
  fixture.harness.ask_now("token-a");
  CHECK(fixture.publications() == 0);
  // One that has it does, also among those who wait for the same request.
  fixture.harness.ask("token-b");
  fixture.harness.ask("token-b", kWorker);
  fixture.harness.ask("token-b");
  fixture.harness.land_oldest(status(200));
  CHECK(fixture.shown("token-b"));
}

TEST_CASE("a hit shows what is not shown, and leaves a young lease alone") {
  const std::size_t hot_entries = GENERATE(std::size_t{0}, std::size_t{1024});
  Policy policy = testing::plain_policy();
  policy.hot_entries = hot_entries;
  Fixture fixture(policy);
  fixture.confirm();
  for (int hit = 0; hit < 10; ++hit) fixture.harness.ask_now("token-a", kWorker);
  CHECK(fixture.publications() == 1);
  fixture.harness.advance(milliseconds(2499));
  fixture.harness.ask_now("token-a", kWorker);
  CHECK(fixture.publications() == 1);
  SECTION("half of it has passed: renewed, and then it is young again") {
    fixture.harness.advance(milliseconds(1));
    fixture.harness.ask_now("token-a", kWorker);
    fixture.harness.ask_now("token-a", kWorker);
    CHECK(fixture.publications() == 2);
    CHECK(fixture.shown()->end.lease == fixture.now().boot + seconds(5));
  }
  SECTION("it has ended: shown again") {
    fixture.harness.advance(seconds(10));
    CHECK_FALSE(fixture.shown());
    fixture.harness.ask_now("token-a", kWorker);
    CHECK(fixture.shown());
  }
  SECTION("a worker without the map renews nothing") {
    fixture.harness.advance(milliseconds(1));
    fixture.harness.ask_now("token-a");
    CHECK(fixture.publications() == 1);
  }
}

TEST_CASE("a lease never outlives its entry, and is not renewed for what is left of that") {
  Fixture fixture;
  fixture.confirm("token-a", confirmed("max-age=12"));
  const BootTime end = fixture.now().boot + seconds(12);
  fixture.harness.advance(seconds(9));
  fixture.harness.ask_now("token-a", kWorker);
  CHECK(fixture.shown()->end.lease == end);
  const std::size_t before = fixture.publications();
  for (int hit = 0; hit < 20; ++hit) {
    fixture.harness.advance(milliseconds(100));
    fixture.harness.ask_now("token-a", kWorker);
  }
  CHECK(fixture.publications() == before);
  fixture.harness.advance(seconds(1));
  CHECK_FALSE(fixture.shown());
}

TEST_CASE("a lease ends with its token, less the skew, by the wall clock") {
  Fixture fixture;
  const std::string token = jwt_expiring(seconds(33));
  fixture.confirm(token);
  REQUIRE(fixture.shown(token));
  CHECK(fixture.shown(token)->end.hard == fixture.now().wall + seconds(3));
  fixture.harness.clock.step_wall(seconds(3));
  CHECK_FALSE(fixture.shown(token));
}

TEST_CASE("a token in the window around its end is answered but not shown") {
  Fixture fixture;
  const std::string token = jwt_expiring(seconds(10));
  const auto answer = fixture.harness.ask_and_land(token, status(200), kWorker);
  CHECK(answer.answer.reason == Reason::kOk);
  CHECK(fixture.publications() == 0);
}

TEST_CASE("what must not be stored is not shown, and takes away what was") {
  Fixture fixture;
  fixture.confirm("token-a", confirmed("no-store"));
  CHECK(fixture.publications() == 0);
  fixture.confirm("token-b");
  CHECK(fixture.shown("token-b"));
  fixture.harness.ask_and_land("token-b", confirmed("no-store"),
                               {.max_age = Duration(0), .wants_lease = true});
  CHECK_FALSE(fixture.shown("token-b"));
}

TEST_CASE("what the store did not take is not shown") {
  Fixture fixture;
  fixture.harness.cache.put_fault.arm(0, 1);
  fixture.confirm();
  CHECK(fixture.publications() == 0);
}

TEST_CASE("trimmed claims are shown, with the flag that says so") {
  Fixture fixture;
  const std::string large = R"({"id":"user-1","email":"a@example.com","role":"rvt","note":")" +
                            std::string(20'000, 'n') + R"("})";
  fixture.confirm("token-a", status(200, large));
  REQUIRE(fixture.shown());
  CHECK(fixture.shown()->claims.size() < 200);
}

TEST_CASE("failures and refusals show nothing") {
  Fixture fixture;
  fixture.harness.ask_and_land("token-a", status(401), kWorker);
  fixture.harness.ask_and_land("token-b", status(500), kWorker);
  fixture.harness.ask_and_land("token-c", testing::failed(Reason::kUpstreamTimeout), kWorker);
  CHECK(fixture.publications() == 0);
}

TEST_CASE("a refusal withdraws the lease before anybody is answered") {
  Fixture fixture;
  fixture.confirm();
  REQUIRE(fixture.shown());
  bool shown_at_the_answer = true;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    shown_at_the_answer = fixture.shown() != nullptr;
  };
  fixture.harness.ask_and_land("token-a", status(401), {.max_age = Duration(0)});
  CHECK_FALSE(shown_at_the_answer);
  CHECK_FALSE(fixture.shown());
}

TEST_CASE("a refusal withdraws a lease whose entry was evicted long before") {
  Policy policy = testing::plain_policy();
  policy.max_entries = 1;
  Fixture fixture(policy);
  fixture.confirm("token-a");
  fixture.confirm("token-b");
  REQUIRE_FALSE(fixture.harness.cache.holds(fixture.harness.key_of("token-a")));
  REQUIRE(fixture.shown("token-a"));
  fixture.harness.ask_and_land("token-a", status(401));
  CHECK_FALSE(fixture.shown("token-a"));
  CHECK(fixture.shown("token-b"));
}

TEST_CASE(
    "a new confirmation takes the old claims away before anybody is answered, then shows its own") {
  Fixture fixture;
  fixture.confirm();
  bool old_shown_at_the_answer = true;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    old_shown_at_the_answer = fixture.shown() != nullptr;
  };
  fixture.harness.advance(seconds(1));
  fixture.harness.ask_and_land(
      "token-a", status(200, R"({"id":"user-123","email":"b@example.com","role":"doctor"})"),
      {.max_age = Duration(0), .wants_lease = true});
  CHECK_FALSE(old_shown_at_the_answer);
  REQUIRE(fixture.shown());
  CHECK(fixture.shown()->claims.find("doctor") != std::string::npos);
  CHECK(fixture.shown()->confirmed_at == fixture.now().boot);
}

TEST_CASE("a late confirmation shows nothing of a token that was refused meanwhile") {
  Fixture fixture;
  fixture.harness.ask("token-a", kWorker);
  const auto first = fixture.harness.upstream.take_oldest();
  fixture.harness.service->disconnected(1);
  // The request is still out; its answer comes after that of a later one has been a refusal.
  fixture.harness.advance(milliseconds(10));
  fixture.harness.ask("token-a", {.max_age = Duration(0), .connection = 2, .wants_lease = true});
  fixture.harness.service->landed(first.id, status(200));
  fixture.harness.land_oldest(status(401));
  CHECK_FALSE(fixture.shown());
}

TEST_CASE("what a sink does while it is answered counts: nothing is shown that is no longer kept") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.advance(seconds(4));
  // At the answer of the hit, the token is asked for anew, and refused.
  bool done = false;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    if (std::exchange(done, true)) return;
    fixture.harness.ask_and_land("token-a", status(401), {.max_age = Duration(0)});
  };
  fixture.harness.ask_now("token-a", kWorker);
  CHECK_FALSE(fixture.shown());
}

TEST_CASE("what the store could not erase is not shown") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.advance(seconds(4));
  bool done = false;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    if (std::exchange(done, true)) return;
    fixture.harness.cache.erase_fault.arm(0, 100);
    fixture.harness.ask_and_land("token-a", status(401), {.max_age = Duration(0)});
  };
  fixture.harness.ask_now("token-a", kWorker);
  REQUIRE(fixture.harness.cache.holds(fixture.harness.key_of("token-a")));
  CHECK_FALSE(fixture.shown());
}

TEST_CASE("a hit on a hot entry with a young lease does not even look at what is shown") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.ask_now("token-a", kWorker);
  const std::size_t looks = fixture.harness.publisher.looks();
  for (int hit = 0; hit < 10; ++hit) fixture.harness.ask_now("token-a", kWorker);
  CHECK(fixture.harness.publisher.looks() == looks);
}

TEST_CASE("a successor shows its own confirmation, not the one that was too old for it") {
  Fixture fixture;
  fixture.harness.ask("token-a", kWorker);
  fixture.harness.advance(milliseconds(10));
  fixture.harness.ask("token-a", {.max_age = Duration(0)});
  fixture.harness.land_oldest(status(200));
  const BootTime second = fixture.now().boot;
  fixture.harness.advance(milliseconds(10));
  fixture.harness.land_oldest(status(200));
  REQUIRE(fixture.shown());
  CHECK(fixture.shown()->confirmed_at == second);
  CHECK(fixture.publications() == 1);
}

TEST_CASE("a new daemon shows what it took over from the cache, under its own policy") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.advance(seconds(1));
  fixture.harness.policy.lease = seconds(2);
  fixture.harness.publisher.forget_all();
  fixture.harness.restart();
  CHECK_FALSE(fixture.shown());
  fixture.harness.ask_now("token-a", kWorker);
  REQUIRE(fixture.shown());
  CHECK(fixture.shown()->end.lease == fixture.now().boot + seconds(2));
}

TEST_CASE("a lease is bounded by length, life, today's longest life and the token") {
  const LifePolicy policy{.max_ttl = seconds(60), .clock_skew = seconds(30), .jitter_percent = 0};
  const Now now = testing::FakeClock().now();
  Entry entry{.confirmed_at = now.boot, .fresh_until = now.boot + seconds(50)};
  CHECK(lease_of(entry, now, policy, seconds(5))->lease == now.boot + seconds(5));
  CHECK(lease_of(entry, now, policy, seconds(55))->lease == now.boot + seconds(50));
  CHECK_FALSE(lease_of(entry, now, policy, Duration(0)));
  SECTION("an entry from before a shorter max_ttl") {
    entry.confirmed_at = now.boot - seconds(58);
    entry.fresh_until = now.boot + seconds(200);
    CHECK(lease_of(entry, now, policy, seconds(5))->lease == now.boot + seconds(2));
  }
  SECTION("one that has ended") {
    entry.fresh_until = now.boot;
    CHECK_FALSE(lease_of(entry, now, policy, seconds(5)));
  }
  SECTION("one that was confirmed in the future, by another clock") {
    entry.confirmed_at = now.boot + seconds(1);
    CHECK_FALSE(lease_of(entry, now, policy, seconds(5)));
  }
  SECTION("a token at either end of time") {
    entry.expires_at = WallTime::max() - seconds(1);
    CHECK(lease_of(entry, now, policy, seconds(5))->hard == WallTime::max() - seconds(31));
    entry.expires_at = WallTime::min();
    CHECK_FALSE(lease_of(entry, now, policy, seconds(5)));
  }
}

}  // namespace
}  // namespace claimsd::daemon
