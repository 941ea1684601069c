// "Invalid" means that the Auth API rejected the token, or that it is rejected locally. An outage
// is never "invalid".
#include "proto/limits.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;
using proto::Verdict;

TEST_CASE("a 401 removes the entry before any waiter is answered") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  REQUIRE(world.cache.entries() == 1);
  const Waiter waiter = world.query("token", {.max_age = 0s});
  bool held = true;
  world.sink.on_answer = [&](const Waiter&) { held = world.cache.holds(world.key_of("token")); };
  world.complete_oldest(status(401));
  CHECK_FALSE(held);
  CHECK(world.reason(waiter) == Reason::kRejected);
  CHECK(world.answer(waiter).answer.source == Source::kUpstream);
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
}

TEST_CASE("a 401 is cached for negative_ttl from the start of its request") {
  ServiceHarness world;
  world.query("token");
  world.advance(1s);
  world.complete_oldest(status(401));
  const RecordedAnswer again = world.query_now("token");
  CHECK(again.answer.reason == Reason::kRejected);
  CHECK(again.answer.source == Source::kCache);
  CHECK(again.answer.age == 1s);
  CHECK(again.answer.ttl_remaining == 4s);
  world.advance(4s - 1ns);
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
  CHECK(world.counters().negative_hits == 2);
  world.advance(1ns);
  CHECK_FALSE(world.answered(world.query("token")));
  CHECK(world.upstream.requests() == 2);
  CHECK(world.service->negative_entries() == 0);
}

TEST_CASE("expired negative entries are removed by ticks and by new rejections") {
  ServiceHarness world;
  world.query_and_complete("a", status(401));
  world.advance(5s);
  CHECK(world.service->negative_entries() == 0);
  world.query_and_complete("b", status(401));
  world.clock.advance(5s);  // without a tick
  world.query_and_complete("c", status(401));
  CHECK(world.service->negative_entries() == 1);
}

TEST_CASE("invalid tokens do not evict valid entries") {
  Policy policy = plain_policy();
  policy.max_entries = 3;
  policy.negative_entries = 100;
  ServiceHarness world(policy);
  for (const char* const good : {"a", "b", "c"}) world.query_and_complete(good, status(200));
  for (int i = 0; i < 1000; ++i) world.query_and_complete("junk" + std::to_string(i), status(401));
  CHECK(world.service->negative_entries() == 100);
  CHECK(world.cache.entries() == 3);
  for (const char* const good : {"a", "b", "c"}) {
    CHECK(world.query_now(good).answer.reason == Reason::kOk);
  }
  CHECK(world.counters().evictions == 0);
}

TEST_CASE("valid entries do not evict negative entries") {
  Policy policy = plain_policy();
  policy.max_entries = 3;
  ServiceHarness world(policy);
  world.query_and_complete("junk", status(401));
  for (int i = 0; i < 100; ++i) world.query_and_complete("good" + std::to_string(i), status(200));
  CHECK(world.query_now("junk").answer.reason == Reason::kRejected);
}

TEST_CASE("a failed request is unavailable, never invalid, and is not cached") {
  for (const Reason reason :
       {Reason::kUpstreamTimeout, Reason::kUpstreamConnect, Reason::kUpstreamTls,
        Reason::kUpstreamTooLarge, Reason::kUpstreamProtocol}) {
    ServiceHarness world;
    const RecordedAnswer answer = world.query_and_complete("token", failed(reason));
    CHECK(answer.answer.reason == reason);
    CHECK(proto::verdict_of(answer.answer.reason) == Verdict::kUnavailable);
    CHECK(world.cache.entries() == 0);
    CHECK(world.service->negative_entries() == 0);
    CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
    CHECK(world.upstream.requests() == 2);
  }
}

TEST_CASE("any status other than 200 and the rejection statuses gives no verdict") {
  for (const int code :
       {100, 101, 199, 201, 204, 206, 299, 300, 301, 302, 304, 307, 308, 400, 402, 403, 404,
        407, 408, 410, 418, 429, 451, 499, 500, 501, 502, 503, 504, 511, 599, 0,   999}) {
    INFO("status " << code);
    ServiceHarness world;
    CHECK(world.query_and_complete("token", status(code)).answer.reason == Reason::kUpstreamStatus);
    CHECK(world.cache.entries() == 0);
    CHECK(world.service->negative_entries() == 0);
  }
}

TEST_CASE("a failed request does not remove a valid entry") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  for (const FetchOutcome& outcome :
       {status(500), failed(Reason::kUpstreamTimeout), status(200, "<html>"), status(403)}) {
    world.query_and_complete("token", outcome, {.max_age = 0s});
    CHECK(world.query_now("token").answer.reason == Reason::kOk);
  }
}

TEST_CASE("a failed request does not remove a negative entry") {
  ServiceHarness world;
  world.query_and_complete("token", status(401));
  world.query_and_complete("token", status(503), {.max_age = 0s});
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
}

TEST_CASE("a 403 rejects if it is configured as a rejection status") {
  Policy policy = plain_policy();
  policy.upstreams[0].rejection_statuses = {401, 403};
  ServiceHarness world(policy);
  CHECK(world.query_and_complete("token", status(403)).answer.reason == Reason::kRejected);
  CHECK(world.query_now("token").answer.source == Source::kCache);
}

TEST_CASE("a later 200 makes a rejected token valid again") {
  ServiceHarness world;
  world.query_and_complete("token", status(401));
  world.advance(1s);
  world.query_and_complete("token", status(200), {.max_age = 0s});
  CHECK(world.service->negative_entries() == 0);
  CHECK(world.query_now("token").answer.reason == Reason::kOk);
}

TEST_CASE("a late 200 does not restore a rejected token") {
  // Single flight keeps a token's requests in order, so this order is created by moving the clock.
  ServiceHarness world;
  world.query_and_complete("token", status(401));
  world.clock.step_boot(-2s);
  const RecordedAnswer late = world.query_and_complete("token", status(200), {.max_age = 0s});
  CHECK(late.answer.reason == Reason::kRejected);
  CHECK(late.claims.empty());
  CHECK(world.cache.entries() == 0);
  CHECK(world.counters().late_results == 1);
  world.clock.step_boot(2s);
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
}

TEST_CASE("a malformed token is rejected without a request") {
  ServiceHarness world;
  for (const std::string& junk :
       {std::string(), std::string("a b"), std::string("a\r\nb"), std::string("a\0b", 3)}) {
    const RecordedAnswer answer = world.query_now(junk);
    CHECK(answer.answer.reason == Reason::kMalformed);
    CHECK(answer.answer.source == Source::kNone);
  }
  CHECK(world.counters().local_rejections == 4);
  CHECK(world.upstream.requests() == 0);
}

TEST_CASE("a token over the configured size is unavailable without a request") {
  Policy policy = plain_policy();
  policy.upstreams[0].max_token = 100;
  ServiceHarness world(policy);
  const RecordedAnswer answer = world.query_now(std::string(101, 'a'));
  CHECK(answer.answer.reason == Reason::kTooLong);
  CHECK(proto::verdict_of(answer.answer.reason) == proto::Verdict::kUnavailable);
  CHECK(world.upstream.requests() == 0);
  CHECK_FALSE(world.answered(world.query(std::string(100, 'a'))));
  CHECK(world.upstream.requests() == 1);
}

TEST_CASE(
    "a token whose claims lack a required value is invalid and rejected from the cache for a "
    "while") {
  Policy policy = plain_policy();
  policy.upstreams[0].mapping.require = {{ClaimPath::member("role"), std::string("doctor")}};
  ServiceHarness world(policy);
  const RecordedAnswer first = world.query_and_complete("token", status(200));
  CHECK(first.answer.reason == Reason::kClaimMismatch);
  CHECK(first.answer.source == Source::kUpstream);
  CHECK(first.claims.empty());
  const RecordedAnswer second = world.query_now("token");
  CHECK(second.answer.reason == Reason::kClaimMismatch);
  CHECK(second.answer.source == Source::kCache);
  world.clock.step_boot(policy.negative_ttl);
  CHECK(world.query_and_complete("token", status(200, R"({"id":"u","role":"doctor"})"))
            .answer.reason == Reason::kOk);
}

TEST_CASE("a confirmed token that lacks a required value later is purged") {
  Policy policy = plain_policy();
  policy.upstreams[0].mapping.require = {{ClaimPath::member("role"), std::string("rvt")}};
  ServiceHarness world(policy);
  REQUIRE(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  CHECK(world.query_and_complete("token", status(200, R"({"id":"u"})"), {.max_age = 0s})
            .answer.reason == Reason::kClaimMismatch);
  CHECK(world.cache.entries() == 0);
  CHECK(world.query_now("token").answer.reason == Reason::kClaimMismatch);
}

TEST_CASE("a confirmed refresh or ID token is not valid") {
  for (const char* const payload :
       {R"({"typ":"Refresh"})", R"({"typ":"Offline"})", R"({"token_use":"id"})"}) {
    ServiceHarness world;
    CHECK(world.query_and_complete(jwt(payload), status(200)).answer.reason ==
          Reason::kClaimMismatch);
  }
}

TEST_CASE("roles that the Auth API left out are unavailable, not absent") {
  Policy policy = plain_policy();
  policy.upstreams[0].mapping.roles = {{ClaimPath::member("groups"), RoleForm::kList}};
  ServiceHarness world(policy);
  const RecordedAnswer answer =
      world.query_and_complete("token", status(200, R"({"id":"u","_claim_names":{"groups":"s"}})"));
  CHECK(answer.answer.reason == Reason::kRolesUnknown);
  CHECK(proto::verdict_of(answer.answer.reason) == proto::Verdict::kUnavailable);
}

TEST_CASE("an answer for a token with an unreadable exp or iat is not cached") {
  for (const char* const payload : {R"({"exp":"soon"})", R"({"exp":null})", R"({"iat":true})"}) {
    ServiceHarness world;
    const RecordedAnswer answer = world.query_and_complete(jwt(payload), status(200));
    CHECK(answer.answer.reason == Reason::kOk);
    CHECK(answer.answer.ttl_remaining == Duration(0));
    CHECK(world.cache.entries() == 0);
    CHECK_FALSE(world.answered(world.query(jwt(payload))));
  }
}

TEST_CASE("a past exp that was read leniently rejects nothing and is not cached") {
  for (const char* const payload : {R"({"exp":"100"})", R"({"exp":100,"n":NaN})",
                                    R"({"exp":100,"n":1180591620717411303424})"}) {
    ServiceHarness world;
    const RecordedAnswer answer = world.query_and_complete(jwt(payload), status(200));
    CHECK(answer.answer.reason == Reason::kOk);
    CHECK(world.cache.entries() == 0);
  }
}

TEST_CASE("a token past its exp by more than the clock skew is rejected without a request") {
  ServiceHarness world;
  CHECK(world.query_now(jwt_expiring(-30s - 1ms)).answer.reason == Reason::kExpired);
  CHECK(world.query_now(jwt(R"({"exp":0})")).answer.reason == Reason::kExpired);
  CHECK(world.query_now(jwt(R"({"exp":-1e300})")).answer.reason == Reason::kExpired);
  CHECK(world.query_now(jwt(R"({"exp":99999999999,"exp":1})")).answer.reason == Reason::kExpired);
  CHECK(world.query_now(jwt_expiring(-1h), {.max_age = 0s}).answer.reason == Reason::kExpired);
  CHECK(world.upstream.requests() == 0);
  CHECK(world.counters().local_rejections == 5);
}

TEST_CASE("a token past its exp by at most the clock skew is verified by the Auth API") {
  ServiceHarness world;
  CHECK_FALSE(world.answered(world.query(jwt_expiring(-30s))));
  CHECK(world.upstream.requests() == 1);
}

TEST_CASE("local rejections are answered when all queues are full") {
  Policy policy = plain_policy();
  policy.max_waiters = 0;
  ServiceHarness world(policy);
  CHECK(world.query_now("a b").answer.reason == Reason::kMalformed);
  CHECK(world.query_now(jwt_expiring(-1h)).answer.reason == Reason::kExpired);
  CHECK(world.query_now("token").answer.reason == Reason::kTooManyWaiting);
}

TEST_CASE("Retry-After is returned with a failure, and with nothing else") {
  ServiceHarness world;
  FetchOutcome busy = status(503);
  busy.retry_after = std::chrono::seconds(7);
  CHECK(world.query_and_complete("a", busy).answer.retry_after == 7s);
  FetchOutcome good = status(200);
  good.retry_after = std::chrono::seconds(7);
  world.advance(7s);  // it is left alone for as long as it asked for
  CHECK(world.query_and_complete("b", good).answer.retry_after == 0s);
}

TEST_CASE("each completed request is reported to the observer without token or claims") {
  ServiceHarness world;
  world.query_and_complete("canarytoken", status(200, R"({"id":["canary"],"email":7})"));
  world.query_and_complete("b", status(401));
  FetchOutcome broken = failed(Reason::kUpstreamTls);
  broken.detail = "certificate has expired";
  broken.took = 3s;
  world.query_and_complete("c", broken);
  REQUIRE(world.observer.reports.size() == 3);
  CHECK(world.observer.reports[0].report.reason == Reason::kUpstreamBody);
  CHECK(world.observer.reports[0].report.status == 200);
  CHECK(world.observer.reports[0].detail.find("canary") == std::string::npos);
  CHECK(world.observer.reports[1].report.reason == Reason::kRejected);
  CHECK(world.observer.reports[2].detail == "certificate has expired");
  CHECK(world.observer.reports[2].report.took == 3s);
}

TEST_CASE("answers are counted by verdict, and requests by outcome") {
  ServiceHarness world;
  world.query_and_complete("a", status(200));
  world.query_and_complete("a", status(200));
  world.query_and_complete("b", status(401));
  world.query_and_complete("c", status(500));
  world.query_and_complete("d", failed(Reason::kUpstreamConnect));
  world.query_now("e f");
  const Counters& counters = world.counters();
  CHECK(counters.queries == 6);
  CHECK(counters.answers_valid == 2);
  CHECK(counters.answers_invalid == 2);
  CHECK(counters.answers_unavailable == 2);
  CHECK(counters.upstream_requests == 4);
  CHECK(counters.upstream_confirmations == 1);
  CHECK(counters.upstream_rejections == 1);
  CHECK(counters.upstream_failures == 2);
}
