// Policy changes while queries are in progress and entries are cached.
#include "daemon/claims/parse/trace_id.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;

namespace {

const std::string kToken = "an-opaque-token";

}  // namespace

TEST_CASE("a reduced max_ttl shortens the TTL of cached entries") {
  ServiceHarness harness;
  harness.query_and_complete(kToken, status(200));
  Policy policy = harness.policy;
  policy.ttl.max_ttl = 5s;
  harness.service->reconfigure(policy);
  CHECK(harness.query_now(kToken).answer.ttl_remaining <= 5s);
  harness.advance(6s);
  harness.query(kToken);
  CHECK(harness.counters().upstream_requests == 2);
}

TEST_CASE("leases of an old policy are withdrawn, and published again on demand") {
  ServiceHarness harness;
  harness.query_and_complete(kToken, status(200), {.wants_lease = true});
  REQUIRE(harness.publisher.find(harness.key_of(kToken)) != nullptr);
  harness.service->reconfigure(harness.policy);
  CHECK(harness.publisher.find(harness.key_of(kToken)) != nullptr);  // the same policy
  Policy policy = harness.policy;
  policy.lease = 2s;
  harness.service->reconfigure(policy);
  CHECK(harness.publisher.find(harness.key_of(kToken)) == nullptr);
  harness.query_now(kToken, {.wants_lease = true});
  CHECK(harness.publisher.find(harness.key_of(kToken)) != nullptr);
}

TEST_CASE("a reduced negative_ttl shortens existing negative entries") {
  ServiceHarness harness;
  harness.query_and_complete(kToken, status(401));
  Policy policy = harness.policy;
  policy.negative_ttl = 1s;
  harness.service->reconfigure(policy);
  harness.advance(2s);
  harness.query(kToken);
  CHECK(harness.counters().upstream_requests == 2);
}

TEST_CASE("pending requests start immediately when max_in_flight grows") {
  Policy policy = plain_policy();
  policy.max_in_flight = 1;
  ServiceHarness harness(policy);
  harness.query("one-opaque-token");
  harness.query("another-opaque-token");
  REQUIRE(harness.counters().upstream_requests == 1);
  policy.max_in_flight = 2;
  harness.service->reconfigure(policy);
  CHECK(harness.counters().upstream_requests == 2);
}

TEST_CASE("a trace id is logged unchanged or not at all") {
  CHECK(loggable_trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "t") != "");
  CHECK(loggable_trace_id("", "t").empty());
  CHECK(loggable_trace_id("a b", "t").empty());
  CHECK(loggable_trace_id("a\nb", "t").empty());
  CHECK(loggable_trace_id("tech@example.com", "t").empty());
  CHECK(loggable_trace_id("aaa.bbb.ccc", "t").empty());
  CHECK(loggable_trace_id(std::string(65, 'a'), "t").empty());
  CHECK(loggable_trace_id("opaque", "an-opaque-token").empty());
}
