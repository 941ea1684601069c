// Leases: when an entry is published to workers, for how long, and when it is withdrawn.
#include "daemon/claims/cache/leases.h"

#include "proto/limits.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

namespace claimsd::claims {
namespace {

using proto::Reason;
using testing::confirmed;
using testing::FakePublisher;
using testing::jwt_expiring;
using testing::QueryParameters;
using testing::ServiceHarness;
using testing::status;

constexpr QueryParameters kWorker{.wants_lease = true};

struct Fixture {
  explicit Fixture(const Policy& policy = testing::plain_policy()) : harness(policy) {}

  // What a lookup that starts now would find in the map.
  const FakePublisher::Published* published(std::string_view token = "token-a") {
    return harness.publisher.find(harness.key_of(token));
  }
  void confirm(std::string_view token = "token-a", const FetchOutcome& outcome = status(200)) {
    harness.query_and_complete(token, outcome, kWorker);
  }
  Now now() { return harness.clock.now(); }
  std::size_t publications() { return harness.publisher.publications(); }

  ServiceHarness harness;
};

TEST_CASE("a confirmation is published after it is answered, for the length of a lease") {
  Fixture fixture;
  bool shown_before_the_answer = false;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    shown_before_the_answer = fixture.published() != nullptr;
  };
  const BootTime started = fixture.now().boot;
  fixture.harness.query("token-a", kWorker);
  fixture.harness.advance(seconds(1));
  CHECK_FALSE(fixture.published());
  fixture.harness.complete_oldest(status(200));
  CHECK_FALSE(shown_before_the_answer);
  REQUIRE(fixture.published());
  CHECK(fixture.published()->user == "user-123");
  CHECK(fixture.published()->confirmed_at == started);
  CHECK(fixture.published()->end.lease == fixture.now().boot + seconds(5));
  CHECK(fixture.published()->end.hard == WallTime::max());
  fixture.harness.advance(seconds(5));
  CHECK_FALSE(fixture.published());
}

TEST_CASE("a client without the map causes no lease, on a hit or a miss") {
  Fixture fixture;
  fixture.harness.query_and_complete("token-a", status(200));
  fixture.harness.query_now("token-a");
  fixture.harness.query_now("token-a");
  CHECK(fixture.publications() == 0);
  // A client with the map does, even if it shares the request with others.
  fixture.harness.query("token-b");
  fixture.harness.query("token-b", kWorker);
  fixture.harness.query("token-b");
  fixture.harness.complete_oldest(status(200));
  CHECK(fixture.published("token-b"));
}

TEST_CASE("a hit publishes a missing lease, and keeps a recent one") {
  const std::size_t memory_entries = GENERATE(std::size_t{0}, std::size_t{1024});
  Policy policy = testing::plain_policy();
  policy.memory_entries = memory_entries;
  Fixture fixture(policy);
  fixture.confirm();
  for (int hit = 0; hit < 10; ++hit) fixture.harness.query_now("token-a", kWorker);
  CHECK(fixture.publications() == 1);
  fixture.harness.advance(milliseconds(2499));
  fixture.harness.query_now("token-a", kWorker);
  CHECK(fixture.publications() == 1);
  SECTION("renewed once half of it has passed, and then recent again") {
    fixture.harness.advance(milliseconds(1));
    fixture.harness.query_now("token-a", kWorker);
    fixture.harness.query_now("token-a", kWorker);
    CHECK(fixture.publications() == 2);
    CHECK(fixture.published()->end.lease == fixture.now().boot + seconds(5));
  }
  SECTION("published again after it has expired") {
    fixture.harness.advance(seconds(10));
    CHECK_FALSE(fixture.published());
    fixture.harness.query_now("token-a", kWorker);
    CHECK(fixture.published());
  }
  SECTION("a client without the map does not renew it") {
    fixture.harness.advance(milliseconds(1));
    fixture.harness.query_now("token-a");
    CHECK(fixture.publications() == 1);
  }
}

TEST_CASE("a lease ends with its entry and is not renewed for the remaining time") {
  Fixture fixture;
  fixture.confirm("token-a", confirmed("max-age=12"));
  const BootTime end = fixture.now().boot + seconds(12);
  fixture.harness.advance(seconds(9));
  fixture.harness.query_now("token-a", kWorker);
  CHECK(fixture.published()->end.lease == end);
  const std::size_t before = fixture.publications();
  for (int hit = 0; hit < 20; ++hit) {
    fixture.harness.advance(milliseconds(100));
    fixture.harness.query_now("token-a", kWorker);
  }
  CHECK(fixture.publications() == before);
  fixture.harness.advance(seconds(1));
  CHECK_FALSE(fixture.published());
}

TEST_CASE("a lease ends one clock skew before the token's exp, on the wall clock") {
  Fixture fixture;
  const std::string token = jwt_expiring(seconds(33));
  fixture.confirm(token);
  REQUIRE(fixture.published(token));
  CHECK(fixture.published(token)->end.hard == fixture.now().wall + seconds(3));
  fixture.harness.clock.step_wall(seconds(3));
  CHECK_FALSE(fixture.published(token));
}

TEST_CASE("a token within the clock skew of its exp is answered but not published") {
  Fixture fixture;
  const std::string token = jwt_expiring(seconds(10));
  const auto answer = fixture.harness.query_and_complete(token, status(200), kWorker);
  CHECK(answer.answer.reason == Reason::kOk);
  CHECK(fixture.publications() == 0);
}

TEST_CASE("a no-store confirmation is not published, and withdraws an older lease") {
  Fixture fixture;
  fixture.confirm("token-a", confirmed("no-store"));
  CHECK(fixture.publications() == 0);
  fixture.confirm("token-b");
  CHECK(fixture.published("token-b"));
  fixture.harness.query_and_complete("token-b", confirmed("no-store"),
                                     {.max_age = Duration(0), .wants_lease = true});
  CHECK_FALSE(fixture.published("token-b"));
}

TEST_CASE("an entry that the store did not take is not published") {
  Fixture fixture;
  fixture.harness.cache.put_fault.arm(0, 1);
  fixture.confirm();
  CHECK(fixture.publications() == 0);
}

TEST_CASE("truncated claims are published with their flag") {
  Fixture fixture;
  const std::string large = R"({"id":"user-1","email":"a@example.com","role":"rvt","note":")" +
                            std::string(proto::kMaxRawClaims, 'n') + R"("})";
  fixture.confirm("token-a", status(200, large));
  REQUIRE(fixture.published());
  CHECK(fixture.published()->claims.size() < 200);
}

TEST_CASE("failures and rejections publish nothing") {
  Fixture fixture;
  fixture.harness.query_and_complete("token-a", status(401), kWorker);
  fixture.harness.query_and_complete("token-b", status(500), kWorker);
  fixture.harness.query_and_complete("token-c", testing::failed(Reason::kUpstreamTimeout), kWorker);
  CHECK(fixture.publications() == 0);
}

TEST_CASE("a rejection withdraws the lease before any waiter is answered") {
  Fixture fixture;
  fixture.confirm();
  REQUIRE(fixture.published());
  bool shown_at_the_answer = true;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    shown_at_the_answer = fixture.published() != nullptr;
  };
  fixture.harness.query_and_complete("token-a", status(401), {.max_age = Duration(0)});
  CHECK_FALSE(shown_at_the_answer);
  CHECK_FALSE(fixture.published());
}

TEST_CASE("a rejection withdraws the lease of an entry that was evicted earlier") {
  Policy policy = testing::plain_policy();
  policy.max_entries = 1;
  Fixture fixture(policy);
  fixture.confirm("token-a");
  fixture.confirm("token-b");
  REQUIRE_FALSE(fixture.harness.cache.holds(fixture.harness.key_of("token-a")));
  REQUIRE(fixture.published("token-a"));
  fixture.harness.query_and_complete("token-a", status(401));
  CHECK_FALSE(fixture.published("token-a"));
  CHECK(fixture.published("token-b"));
}

TEST_CASE("a new confirmation withdraws the old lease before answering, then publishes its own") {
  Fixture fixture;
  fixture.confirm();
  bool old_shown_at_the_answer = true;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    old_shown_at_the_answer = fixture.published() != nullptr;
  };
  fixture.harness.advance(seconds(1));
  fixture.harness.query_and_complete(
      "token-a", status(200, R"({"id":"user-123","email":"b@example.com","role":"doctor"})"),
      {.max_age = Duration(0), .wants_lease = true});
  CHECK_FALSE(old_shown_at_the_answer);
  REQUIRE(fixture.published());
  CHECK(fixture.published()->claims.find("doctor") != std::string::npos);
  CHECK(fixture.published()->confirmed_at == fixture.now().boot);
}

TEST_CASE("a late confirmation of a token rejected in the meantime is not published") {
  Fixture fixture;
  fixture.harness.query("token-a", kWorker);
  const auto first = fixture.harness.upstream.take_oldest();
  fixture.harness.service->disconnected(1);
  // The first request is still in flight and completes after a later one was rejected.
  fixture.harness.advance(milliseconds(10));
  fixture.harness.query("token-a", {.max_age = Duration(0), .connection = 2, .wants_lease = true});
  fixture.harness.service->on_complete(first.id, status(200));
  fixture.harness.complete_oldest(status(401));
  CHECK_FALSE(fixture.published());
}

TEST_CASE("an entry that the sink removed while handling the answer is not published") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.advance(seconds(4));
  // While handling the hit, the sink queries the token again, and it is rejected.
  bool done = false;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    if (std::exchange(done, true)) return;
    fixture.harness.query_and_complete("token-a", status(401), {.max_age = Duration(0)});
  };
  fixture.harness.query_now("token-a", kWorker);
  CHECK_FALSE(fixture.published());
}

TEST_CASE("an entry that the store failed to erase is not published") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.advance(seconds(4));
  bool done = false;
  fixture.harness.sink.on_answer = [&](const Waiter&) {
    if (std::exchange(done, true)) return;
    fixture.harness.cache.erase_fault.arm(0, 100);
    fixture.harness.query_and_complete("token-a", status(401), {.max_age = Duration(0)});
  };
  fixture.harness.query_now("token-a", kWorker);
  REQUIRE(fixture.harness.cache.holds(fixture.harness.key_of("token-a")));
  CHECK_FALSE(fixture.published());
}

TEST_CASE("a hit on an in-memory entry with a recent lease does not query the publisher") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.query_now("token-a", kWorker);
  const std::size_t looks = fixture.harness.publisher.looks();
  for (int hit = 0; hit < 10; ++hit) fixture.harness.query_now("token-a", kWorker);
  CHECK(fixture.harness.publisher.looks() == looks);
}

TEST_CASE("only the successor's confirmation is published, not the one that was too old") {
  Fixture fixture;
  fixture.harness.query("token-a", kWorker);
  fixture.harness.advance(milliseconds(10));
  fixture.harness.query("token-a", {.max_age = Duration(0)});
  fixture.harness.complete_oldest(status(200));
  const BootTime second = fixture.now().boot;
  fixture.harness.advance(milliseconds(10));
  fixture.harness.complete_oldest(status(200));
  REQUIRE(fixture.published());
  CHECK(fixture.published()->confirmed_at == second);
  CHECK(fixture.publications() == 1);
}

TEST_CASE("a restarted daemon publishes cached entries under its own policy") {
  Fixture fixture;
  fixture.confirm();
  fixture.harness.advance(seconds(1));
  fixture.harness.policy.lease = seconds(2);
  fixture.harness.publisher.forget_all();
  fixture.harness.restart();
  CHECK_FALSE(fixture.published());
  fixture.harness.query_now("token-a", kWorker);
  REQUIRE(fixture.published());
  CHECK(fixture.published()->end.lease == fixture.now().boot + seconds(2));
}

TEST_CASE("a lease is limited by its length, the TTL, the current max_ttl and the token") {
  const TtlPolicy policy{.max_ttl = seconds(60), .clock_skew = seconds(30), .jitter_percent = 0};
  const Now now = testing::FakeClock().now();
  Entry entry{.confirmed_at = now.boot, .fresh_until = now.boot + seconds(50)};
  CHECK(lease_of(entry, now, policy, seconds(5))->lease == now.boot + seconds(5));
  CHECK(lease_of(entry, now, policy, seconds(55))->lease == now.boot + seconds(50));
  CHECK_FALSE(lease_of(entry, now, policy, Duration(0)));
  SECTION("an entry older than a reduced max_ttl") {
    entry.confirmed_at = now.boot - seconds(58);
    entry.fresh_until = now.boot + seconds(200);
    CHECK(lease_of(entry, now, policy, seconds(5))->lease == now.boot + seconds(2));
  }
  SECTION("an expired entry") {
    entry.fresh_until = now.boot;
    CHECK_FALSE(lease_of(entry, now, policy, seconds(5)));
  }
  SECTION("an entry confirmed in the future, by another clock") {
    entry.confirmed_at = now.boot + seconds(1);
    CHECK_FALSE(lease_of(entry, now, policy, seconds(5)));
  }
  SECTION("a token at either end of the time range") {
    entry.expires_at = WallTime::max() - seconds(1);
    CHECK(lease_of(entry, now, policy, seconds(5))->hard == WallTime::max() - seconds(31));
    entry.expires_at = WallTime::min();
    CHECK_FALSE(lease_of(entry, now, policy, seconds(5)));
  }
}

}  // namespace
}  // namespace claimsd::claims
