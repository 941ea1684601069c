// Kept connections that fail, or lead to an instance that was replaced, although the Auth API works.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

// The outcome of a request over a kept connection of this age.
FetchOutcome over_kept(FetchOutcome outcome, Duration age = 30s) {
  outcome.reused = true;
  outcome.connection_age = age;
  return outcome;
}

// plain_policy() with circuit breakers.
Policy careful() {
  Policy policy = plain_policy();
  policy.breaker.failure_threshold = 3;
  return policy;
}

Connect connect_of(const ServiceHarness& world, std::string_view token) {
  for (const FakeUpstream::InFlight& request : world.upstream.in_flight()) {
    if (request.token == token) return request.connect;
  }
  throw std::logic_error("no request for this token");
}

}  // namespace

TEST_CASE("a failure over a kept connection is repeated over a new one") {
  const bool is_timeout = GENERATE(false, true);
  ServiceHarness world;
  const Waiter waiter = world.query("token");
  CHECK(connect_of(world, "token") == Connect::kReuse);
  world.complete_for("token",
                     over_kept(is_timeout ? failed(Reason::kUpstreamTimeout) : status(503)));
  CHECK_FALSE(world.answered(waiter));
  CHECK(connect_of(world, "token") == Connect::kFresh);
  SECTION("and its success answers") {
    world.complete_for("token", status(200));
    CHECK(world.reason(waiter) == Reason::kOk);
  }
  SECTION("once") {
    world.complete_for("token", status(503));
    CHECK(world.reason(waiter) == Reason::kUpstreamStatus);
  }
  CHECK(world.counters().retries == 1);
}

TEST_CASE("failures over kept connections do not open the breaker, failures over new ones do") {
  Policy policy = careful();
  policy.breaker.retry_percent = 0;
  ServiceHarness world(policy);
  for (int i = 0; i < 40; ++i)
    world.query_and_complete("kept" + std::to_string(i),
                             over_kept(failed(Reason::kUpstreamTimeout)));
  CHECK(world.service->backoff(0) == Duration(0));
  for (int i = 0; i < 3; ++i)
    world.query_and_complete("new" + std::to_string(i), failed(Reason::kUpstreamTimeout));
  CHECK(world.service->backoff(0) > Duration(0));
}

TEST_CASE("a Retry-After counts over any connection and is not followed by a retry") {
  ServiceHarness world;
  FetchOutcome outcome = over_kept(status(503));
  outcome.retry_after = 20s;
  CHECK(world.query_and_complete("token", outcome).answer.reason == Reason::kUpstreamStatus);
  CHECK(world.service->backoff(0) >= 20s);
}

TEST_CASE("the probe of an open breaker uses a new connection") {
  ServiceHarness world(careful());
  for (int i = 0; i < 3; ++i)
    world.query_and_complete("token" + std::to_string(i), failed(Reason::kUpstreamTimeout));
  world.advance(2s);
  world.query("probe");
  CHECK(connect_of(world, "probe") == Connect::kFresh);
  world.complete_for("probe", status(200));
  world.query("next");
  CHECK(connect_of(world, "next") == Connect::kReuse);
}

TEST_CASE("a 401 over an old connection is checked over a new one before it is believed") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  REQUIRE(world.cache.entries() == 1);
  const Waiter waiter = world.query("token", {.max_age = 0s});
  world.complete_for("token", over_kept(status(401)));
  // The purge comes first.
  CHECK(world.cache.entries() == 0);
  CHECK_FALSE(world.answered(waiter));
  CHECK(connect_of(world, "token") == Connect::kFresh);
  CHECK(world.counters().rejection_checks == 1);
  SECTION("a second 401 rejects the token") {
    world.complete_for("token", status(401));
    CHECK(world.reason(waiter) == Reason::kRejected);
    CHECK(world.query_now("token").answer.reason == Reason::kRejected);
    CHECK(world.upstream.drops == 0);
  }
  SECTION("a 200 answers, drops the connections, and is not cached for negative_ttl") {
    world.complete_for("token", status(200));
    CHECK(world.reason(waiter) == Reason::kOk);
    CHECK(world.answer(waiter).answer.ttl_remaining == Duration(0));
    CHECK(world.upstream.drops == 1);
    CHECK(world.counters().upstream_disagrees == 1);
    CHECK(world.cache.entries() == 0);
    world.advance(4s);
    world.query_and_complete("token", status(200));
    CHECK(world.cache.entries() == 0);
    world.advance(1s);
    world.query_and_complete("token", status(200));
    CHECK(world.cache.entries() == 1);
  }
  SECTION("a failure is unavailable") {
    world.complete_for("token", failed(Reason::kUpstreamTimeout));
    CHECK(world.reason(waiter) == Reason::kUpstreamTimeout);
    CHECK(world.service->negative_entries() == 0);
  }
}

TEST_CASE("a check that fails is never answered with a stale entry") {
  Policy policy = plain_policy();
  policy.ttl.stale_if_error = 60s;
  ServiceHarness world(policy);
  world.query_and_complete("token", status(200));
  world.advance(policy.ttl.max_ttl);
  const Waiter waiter = world.query("token");
  world.complete_for("token", over_kept(status(401)));
  world.complete_for("token", status(503));
  CHECK(proto::verdict_of(world.reason(waiter)) == proto::Verdict::kUnavailable);
}

TEST_CASE("a stale instance rejects none of a thousand good tokens") {
  ServiceHarness world;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = "token" + std::to_string(i);
    if (i % 2 == 0) world.query_and_complete(token, status(200));  // others are seen first
    const Waiter waiter = world.query(token, {.max_age = 0s});
    world.complete_for(token, over_kept(status(401)));
    world.complete_for(token, status(200));
    CHECK(world.reason(waiter) == Reason::kOk);
  }
}

TEST_CASE("a 401 over a new or recent connection is believed at once") {
  ServiceHarness world;
  CHECK(world.query_and_complete("a", status(401)).answer.reason == Reason::kRejected);
  CHECK(world.query_and_complete("b", over_kept(status(401), 4s)).answer.reason ==
        Reason::kRejected);
  CHECK(world.counters().rejection_checks == 0);
}

TEST_CASE("a mass logout is checked three times, then believed for some seconds") {
  ServiceHarness world;
  const auto log_out = [&](const std::string& token) {
    const Waiter waiter = world.query(token, {.max_age = 0s});
    world.complete_for(token, over_kept(status(401)));
    const bool checked = !world.answered(waiter);
    if (checked) world.complete_for(token, status(401));
    CHECK(world.reason(waiter) == Reason::kRejected);
    return checked;
  };
  for (int i = 0; i < 100; ++i) world.query_and_complete("known" + std::to_string(i), status(200));
  for (int i = 0; i < 3; ++i) CHECK(log_out("known" + std::to_string(i)));
  for (int i = 3; i < 90; ++i) CHECK_FALSE(log_out("known" + std::to_string(i)));
  SECTION("unknown tokens are judged apart") {
    for (int i = 0; i < 3; ++i) CHECK(log_out("junk" + std::to_string(i)));
    CHECK_FALSE(log_out("junk3"));
  }
  SECTION("and checked again afterwards") {
    world.advance(RejectionCheck::kBelieved);
    CHECK(log_out("known90"));
    CHECK(log_out("known91"));
  }
}

TEST_CASE("a token without a verdict causes at most five requests in three seconds") {
  const int kind = GENERATE(0, 1, 2, 3, 4, 5);
  const auto outcome = [&] {
    switch (kind) {
      case 0: return status(403);
      case 1: return status(404);
      case 2: return status(302);
      case 3: return status(200, "<html>");
      case 4: return failed(Reason::kUpstreamTooLarge);
      default: return status(400);
    }
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ServiceHarness world(careful(), seed);
    for (int i = 0; i < 200; ++i) {
      const RecordedAnswer answer = world.query_and_complete("token", outcome());
      CHECK(proto::verdict_of(answer.answer.reason) == proto::Verdict::kUnavailable);
      world.advance(15ms);
    }
    CHECK(world.upstream.requests() <= 5);
    // Other tokens are not affected.
    CHECK(world.query_and_complete("other", status(200)).answer.reason == Reason::kOk);
  }
}

TEST_CASE("no_store_ttl replaces no-store and no-cache, never a max-age") {
  Policy policy = plain_policy();
  const auto ttl_of = [&](std::string_view cache_control, seconds no_store_ttl) {
    policy.upstreams[0].no_store_ttl = no_store_ttl;
    ServiceHarness world(policy);
    return world.query_and_complete("token", confirmed(cache_control)).answer.ttl_remaining;
  };
  CHECK(ttl_of("no-store", 0s) == Duration(0));
  CHECK(ttl_of("no-cache", 0s) == Duration(0));
  CHECK(ttl_of("no-store", 7s) == 7s);
  CHECK(ttl_of("private, no-cache, no-store", 7s) == 7s);
  CHECK(ttl_of("no-store, max-age=3", 7s) == 3s);
  CHECK(ttl_of("no-store, max-age=0", 7s) == Duration(0));
  CHECK(ttl_of("max-age=20", 7s) == 20s);
}
