// A host that may lack revocations of its fleet: nothing is valid, over the socket or in the map.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

Policy stale_policy() {
  Policy policy = plain_policy();
  policy.ttl.stale_if_error = 60s;
  return policy;
}

}  // namespace

TEST_CASE("while a host may lack revocations, every query is unavailable and causes no request") {
  ServiceHarness host;
  host.query_and_complete("cached", status(200));
  host.query_and_complete("cached", status(200));  // in memory as well
  host.service->set_complete(false);
  CHECK(host.query_now("cached").answer.reason == Reason::kNotCurrent);
  CHECK(host.query_now("unknown").answer.reason == Reason::kNotCurrent);
  CHECK(host.upstream.in_flight().empty());
  host.service->set_complete(true);
  CHECK(host.query_now("cached").answer.reason == Reason::kOk);
}

TEST_CASE("an answer that waits when a host is no longer current is not sent as valid") {
  ServiceHarness host;
  const Waiter confirmed = host.query("confirmed");
  const Waiter rejected = host.query("rejected");
  host.service->set_complete(false);
  host.complete_for("confirmed", status(200));
  host.complete_for("rejected", status(401));
  CHECK(host.reason(confirmed) == Reason::kNotCurrent);
  CHECK(host.reason(rejected) == Reason::kRejected);
}

TEST_CASE("a stale answer is not sent either") {
  ServiceHarness host(stale_policy());
  host.query_and_complete("token", status(200));
  host.advance(61s);
  const Waiter waiter = host.query("token");
  host.service->set_complete(false);
  host.complete_oldest(status(503));
  CHECK(host.reason(waiter) == Reason::kNotCurrent);
}

TEST_CASE("an answer that waits for its audit record is revalidated when it is sent") {
  Policy policy = plain_policy();
  policy.audit.verifications = true;
  ServiceHarness host(policy);
  const Waiter waiter = host.query("token");
  host.complete_oldest(status(200));
  host.service->set_complete(false);
  host.write_record();
  host.write_record();  // that the first record is superseded
  CHECK(host.reason(waiter) == Reason::kNotCurrent);
}

TEST_CASE("leases are withdrawn, and none is published until the host is current") {
  ServiceHarness host;
  host.query_and_complete("token", status(200), {.wants_lease = true});
  REQUIRE(host.publisher.published() == 1);
  host.query("other", {.wants_lease = true});
  host.service->set_complete(false);
  CHECK(host.publisher.published() == 0);
  host.complete_oldest(status(200));
  CHECK(host.publisher.published() == 0);
  host.service->set_complete(true);
  host.advance(10s);
  host.query_now("token", {.wants_lease = true});
  CHECK(host.publisher.published() == 1);
}
