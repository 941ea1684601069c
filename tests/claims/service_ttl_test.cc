// How long a confirmation answers queries, tested through the service.
#include <set>

#include "proto/claims_block.h"
#include "proto/messages.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

namespace {

// True if the cache answers for the token now. Leaves no query open.
bool hits(ServiceHarness& world, std::string_view token) {
  const Waiter waiter = world.query(token, {.connection = 999});
  const bool hit = world.answered(waiter) && world.answer(waiter).answer.source == Source::kCache &&
                   world.reason(waiter) == Reason::kOk;
  world.service->disconnected(999);
  return hit;
}

// Confirms a token with a request that started `took` ago.
void confirm(ServiceHarness& world, std::string_view token, Duration took = 0s,
             const FetchOutcome& outcome = status(200)) {
  world.query(token);
  world.advance(took);
  world.complete_for(token, outcome);
}

}  // namespace

TEST_CASE("a hit returns the claims, their age and the remaining TTL") {
  ServiceHarness world;
  world.query("token");
  world.advance(2s);
  world.complete_oldest(status(200));
  world.advance(3s);
  const RecordedAnswer hit = world.query_now("token");
  CHECK(hit.answer.reason == Reason::kOk);
  CHECK(hit.answer.source == Source::kCache);
  CHECK(hit.answer.age == 5s);
  CHECK(hit.answer.ttl_remaining == 55s);
  CHECK(hit.answer.flags == 0);
  proto::ClaimsView claims;
  REQUIRE(proto::decode_claims(hit.claims, claims));
  CHECK(claims.id == "user-123");
  CHECK(claims.email == "tech@example.com");
  CHECK(world.upstream.requests() == 1);
  CHECK(world.counters().cache_hits == 1);
}

TEST_CASE("an answer from the Auth API is marked as such") {
  ServiceHarness world;
  const Waiter waiter = world.query("token");
  world.advance(2s);
  world.complete_oldest(status(200));
  const Answer& answer = world.answer(waiter).answer;
  CHECK(answer.source == Source::kUpstream);
  CHECK(answer.age == 2s);
  CHECK(answer.ttl_remaining == 58s);
}

TEST_CASE("a TTL counts from the start of the request, not from its response") {
  ServiceHarness world;
  confirm(world, "token", 20s);
  world.advance(40s - 1ns);
  CHECK(hits(world, "token"));
  world.advance(1ns);
  CHECK_FALSE(hits(world, "token"));
}

TEST_CASE(
    "a TTL counts from the start of the request, not from the query, if the request was pending") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness world(policy);
  world.query("first");
  world.query("token");
  world.advance(20s);
  world.complete_for("first", status(200));
  world.complete_for("token", status(200));
  world.advance(60s - 1ns);
  CHECK(hits(world, "token"));
  world.advance(1ns);
  CHECK_FALSE(hits(world, "token"));
}

TEST_CASE("hits do not extend a TTL") {
  ServiceHarness world;
  confirm(world, "token");
  for (int i = 0; i < 59; ++i) {
    world.advance(1s);
    CHECK(hits(world, "token"));
  }
  world.advance(1s);
  CHECK_FALSE(hits(world, "token"));
}

TEST_CASE("a response that takes longer than its TTL is answered but not cached") {
  Policy policy = plain_policy();
  policy.ttl.max_ttl = 2s;
  ServiceHarness world(policy);
  const Waiter waiter = world.query("token");
  world.advance(2s);
  world.complete_oldest(status(200));
  CHECK(world.reason(waiter) == Reason::kOk);
  CHECK(world.answer(waiter).answer.ttl_remaining == 0s);
  CHECK(world.cache.entries() == 0);
  CHECK(world.counters().not_cached == 1);
}

TEST_CASE("jitter spreads TTLs that started together, only downward") {
  Policy policy = plain_policy();
  policy.ttl.jitter_percent = 10;
  ServiceHarness world(policy, 3);
  std::set<Duration> lives;
  for (int i = 0; i < 1000; ++i) {
    const RecordedAnswer answer =
        world.query_and_complete("token" + std::to_string(i), status(200));
    lives.insert(answer.answer.ttl_remaining);
  }
  CHECK(lives.size() > 990);
  CHECK(*lives.begin() >= 54s);
  CHECK(*lives.rbegin() <= 60s);
}

TEST_CASE("max-age minus Age shortens a TTL and never extends it") {
  ServiceHarness world;
  confirm(world, "a", 0s, confirmed("max-age=10"));
  confirm(world, "b", 0s, confirmed("max-age=10", "4"));
  confirm(world, "c", 0s, confirmed("max-age=100000"));
  confirm(world, "d", 0s, confirmed("max-age=10", "10"));
  CHECK_FALSE(hits(world, "d"));
  world.advance(6s - 1ns);
  CHECK(hits(world, "b"));
  world.advance(1ns);
  CHECK_FALSE(hits(world, "b"));
  CHECK(hits(world, "a"));
  world.advance(4s);
  CHECK_FALSE(hits(world, "a"));
  world.advance(50s - 1ns);
  CHECK(hits(world, "c"));
  world.advance(1ns);
  CHECK_FALSE(hits(world, "c"));
}

TEST_CASE("max-age counts from the start of the request") {
  ServiceHarness world;
  confirm(world, "token", 4s, confirmed("max-age=10"));
  CHECK(world.query_now("token").answer.ttl_remaining == 6s);
  world.advance(6s - 1ns);
  CHECK(hits(world, "token"));
  world.advance(1ns);
  CHECK_FALSE(hits(world, "token"));
}

TEST_CASE("a no-store or no-cache confirmation is given to all waiters but not cached") {
  for (const char* const header : {"no-store", "no-cache", "max-age=0", "no-store, max-age=60"}) {
    INFO(header);
    ServiceHarness world;
    const Waiter first = world.query("token", {.connection = 1});
    const Waiter second = world.query("token", {.connection = 2});
    world.complete_oldest(confirmed(header));
    CHECK(world.reason(first) == Reason::kOk);
    CHECK(world.reason(second) == Reason::kOk);
    CHECK(world.answer(first).answer.ttl_remaining == 0s);
    CHECK(world.cache.entries() == 0);
    CHECK(world.counters().not_cached == 1);
    CHECK_FALSE(hits(world, "token"));
  }
}

TEST_CASE("a newer uncacheable confirmation removes the older entry") {
  ServiceHarness world;
  confirm(world, "token");
  REQUIRE(hits(world, "token"));
  world.query_and_complete("token", confirmed("no-store"), {.max_age = 0s});
  CHECK_FALSE(hits(world, "token"));
}

TEST_CASE("exp ends a TTL one clock skew early, and is checked on every hit") {
  ServiceHarness world;
  const std::string token = jwt_expiring(50s);
  confirm(world, token);
  CHECK(world.query_now(token).answer.ttl_remaining == 20s);
  world.advance(20s - 1ns);
  CHECK(hits(world, token));
  world.advance(1ns);
  CHECK_FALSE(hits(world, token));
}

TEST_CASE("a fractional exp limits a TTL exactly") {
  ServiceHarness world;
  const std::string token = jwt_expiring(50s + 500ms);
  confirm(world, token);
  CHECK(world.query_now(token).answer.ttl_remaining == 20s + 500ms);
}

TEST_CASE("with a huge or missing exp, max_ttl limits the TTL") {
  for (const char* const payload :
       {"{}", R"({"exp":1e300})", R"({"exp":18446744073709551615})",
        R"({"exp":9223372036854775808})", R"({"exp":18446744073709551616})"}) {
    INFO(payload);
    ServiceHarness world;
    confirm(world, jwt(payload));
    world.advance(60s - 1ns);
    CHECK(hits(world, jwt(payload)));
    world.advance(1ns);
    CHECK_FALSE(hits(world, jwt(payload)));
  }
}

TEST_CASE("a wall clock that steps past exp ends the TTL immediately") {
  ServiceHarness world;
  const std::string token = jwt_expiring(1h);
  confirm(world, token);
  world.clock.step_wall(1h - 30s);
  CHECK_FALSE(hits(world, token));
}

TEST_CASE("a wall clock that steps back does not extend a TTL") {
  ServiceHarness world;
  const std::string token = jwt_expiring(50s);
  confirm(world, token);
  world.clock.step_wall(-1000h);
  world.advance(60s - 1ns);
  CHECK(hits(world, token));
  world.advance(1ns);
  CHECK_FALSE(hits(world, token));
}

TEST_CASE("a token confirmed within the clock skew of its exp is answered but not cached") {
  for (const Duration in : {Duration(30s), Duration(0s), Duration(-30s)}) {
    ServiceHarness world;
    const Waiter waiter = world.query(jwt_expiring(in));
    world.complete_oldest(status(200));
    CHECK(world.reason(waiter) == Reason::kOk);
    CHECK(world.answer(waiter).answer.ttl_remaining == 0s);
    CHECK(world.cache.entries() == 0);
  }
}

TEST_CASE(
    "a token whose exp passes while its request is in flight is expired, whatever the response") {
  ServiceHarness world;
  const Waiter waiter = world.query(jwt_expiring(-29s));
  world.advance(1s + 1ns);
  world.complete_oldest(status(200));
  CHECK(world.reason(waiter) == Reason::kExpired);
  CHECK(world.cache.entries() == 0);
}

TEST_CASE("entries expire while the machine is suspended") {
  ServiceHarness world;
  confirm(world, "opaque");
  confirm(world, jwt_expiring(2h));
  world.clock.advance(1h);  // the boot clock counts suspended time
  CHECK_FALSE(hits(world, "opaque"));
  CHECK_FALSE(hits(world, jwt_expiring(2h)));
}

TEST_CASE("a query from before a suspend times out after it") {
  ServiceHarness world;
  const Waiter waiter = world.query("token", {.timeout = 5s});
  world.clock.advance(1h);
  CHECK(world.service->wait_time() == 0s);
  world.service->tick();
  CHECK(world.reason(waiter) == Reason::kDeadline);
}

TEST_CASE("truncated claims are flagged, from the Auth API and from the cache") {
  ServiceHarness world;
  const std::string body = R"({"id":"u","x":")" + std::string(proto::kMaxRawClaims, 'x') + "\"}";
  CHECK(world.query_and_complete("token", status(200, body)).answer.flags ==
        proto::kAnswerTruncated);
  CHECK(world.query_now("token").answer.flags == proto::kAnswerTruncated);
  CHECK(world.counters().truncated == 1);
}
