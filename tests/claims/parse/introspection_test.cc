#include "daemon/claims/parse/parsed_document.h"

#include "daemon/claims/upstream/response_class.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

Result<Introspection> try_read(std::string_view body, const IntrospectionRules& rules = {}) {
  JsonBuffers buffers;
  WipedJson json(buffers);
  return read_introspection(TRY(parse_object(json, body)), rules);
}

Introspection read(std::string_view body, const IntrospectionRules& rules = {}) {
  const auto got = try_read(body, rules);
  INFO((got ? "" : got.error().message));
  REQUIRE(got);
  return *got;
}

bool is_bad(std::string_view body) {
  return !try_read(body);
}

Policy introspecting(const IntrospectionRules& rules = {}) {
  Policy policy = plain_policy();
  policy.upstreams[0].introspection = rules;
  return policy;
}

}  // namespace

TEST_CASE("active must be true; false is not accepted, anything else is a bad document") {
  CHECK(read(R"({"active":true})").accepted);
  CHECK_FALSE(read(R"({"active":false,"id":"user-1"})").accepted);
  for (const char* const body :
       {R"({})", R"({"active":"true"})", R"({"active":1})", R"({"active":null})",
        R"({"active":[true]})", R"({"Active":true})", R"({"active":true,"active":false})",
        R"({"active":true,"\u0061ctive":true})", "[true]", "true", ""}) {
    INFO(body);
    CHECK(is_bad(body));
  }
}

TEST_CASE("a configured audience must be in aud") {
  const IntrospectionRules rules{.audience = "lumen"};
  CHECK(read(R"({"active":true,"aud":"lumen"})", rules).accepted);
  CHECK(read(R"({"active":true,"aud":["stats","lumen"]})", rules).accepted);
  for (const char* const aud : {R"("stats")", R"(["stats"])", "[]", "null", "7", R"(["lumen2"])",
                                R"({"lumen":1})", R"("Lumen")"}) {
    INFO(aud);
    CHECK_FALSE(read(R"({"active":true,"aud":)" + std::string(aud) + "}", rules).accepted);
  }
  CHECK_FALSE(read(R"({"active":true})", rules).accepted);
  CHECK(read(R"({"active":true})").accepted);
  CHECK(is_bad(R"({"active":true,"aud":"lumen","aud":"stats"})"));
}

TEST_CASE("a token that is bound to a key is accepted only if that is configured") {
  constexpr const char* kBound = R"({"active":true,"cnf":{"jkt":"0ZcOCORZNYy"}})";
  CHECK_FALSE(read(kBound).accepted);
  CHECK(read(kBound, {.accept_bound = true}).accepted);
  CHECK(read(R"({"active":true,"cnf":null})").accepted);
}

TEST_CASE("exp is a number of seconds; an unreadable one is noted") {
  CHECK(read(R"({"active":true,"exp":1767225600})").expires_at == WallTime(1'767'225'600s));
  CHECK(read(R"({"active":true,"exp":1767225600.9})").expires_at == WallTime(1'767'225'600s));
  CHECK(read(R"({"active":true,"exp":1e30})").expires_at == WallTime::max());
  CHECK(read(R"({"active":true})").expires_at == WallTime::max());
  CHECK_FALSE(read(R"({"active":true})").has_unreadable_exp);
  for (const char* const exp : {R"("1767225600")", "true", "[]"})
    CHECK(read(R"({"active":true,"exp":)" + std::string(exp) + "}").has_unreadable_exp);
}

TEST_CASE("an introspection response confirms, rejects, or gives no verdict") {
  ServiceHarness world(introspecting({.audience = "lumen"}));
  const auto reason = [&](const std::string& token, int code, std::string_view body) {
    return world.query_and_complete(token, status(code, body)).answer.reason;
  };
  CHECK(reason("a", 200, R"({"active":true,"aud":"lumen","id":"user-1"})") == Reason::kOk);
  CHECK(reason("b", 200, R"({"active":false})") == Reason::kRejected);
  CHECK(reason("c", 200, R"({"active":true,"aud":"stats","id":"user-1"})") == Reason::kRejected);
  CHECK(reason("d", 200, R"({"id":"user-1"})") == Reason::kUpstreamBody);
  CHECK(reason("e", 404, R"({"active":false})") == Reason::kUpstreamStatus);
}

TEST_CASE("401 and 403 of an introspection endpoint are about our own credentials") {
  const int code = GENERATE(401, 403);
  Policy policy = introspecting();
  policy.breaker.failure_threshold = 3;
  ServiceHarness world(policy);
  world.query_and_complete("known", status(200, R"({"active":true,"id":"user-1"})"));
  CHECK(world.query_and_complete("token", status(code)).answer.reason ==
        Reason::kUpstreamCredentials);
  CHECK(world.service->negative_entries() == 0);
  CHECK(world.query_now("known").answer.reason == Reason::kOk);
  // Wrong credentials must not be tried with every token.
  for (int i = 0; i < 2; ++i) world.query_and_complete("t" + std::to_string(i), status(code));
  CHECK(world.query_now("other").answer.reason == Reason::kBackoff);
}

TEST_CASE("the exp of an introspection response ends the answer") {
  Policy policy = introspecting();
  policy.ttl.max_ttl = 60s;
  policy.ttl.clock_skew = 0s;
  ServiceHarness world(policy);
  const auto now = std::chrono::duration_cast<seconds>(world.clock.now().wall.time_since_epoch());
  const std::string body =
      R"({"active":true,"id":"user-1","exp":)" + std::to_string(now.count() + 20) + "}";
  CHECK(world.query_and_complete("token", status(200, body)).answer.ttl_remaining == 20s);
  world.advance(20s);
  CHECK_FALSE(world.answered(world.query("token")));
  SECTION("an unreadable one: answered, not cached") {
    world.query_and_complete("other",
                             status(200, R"({"active":true,"id":"user-1","exp":"tomorrow"})"));
    CHECK_FALSE(world.answered(world.query("other")));
  }
}

TEST_CASE("a rejection by introspection over an old connection is checked, too") {
  ServiceHarness world(introspecting());
  const Waiter waiter = world.query("token");
  FetchOutcome outcome = status(200, R"({"active":false})");
  outcome.reused = true;
  outcome.connection_age = 30s;
  world.complete_for("token", outcome);
  CHECK_FALSE(world.answered(waiter));
  world.complete_for("token", status(200, R"({"active":true,"id":"user-1"})"));
  CHECK(world.reason(waiter) == Reason::kOk);
}
