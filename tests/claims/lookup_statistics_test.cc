// Lookups are counted by source and verdict; waits are timed.
#include "daemon/claims/lookup_statistics.h"

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Source;
using proto::Verdict;

TEST_CASE("lookups are counted by source and verdict") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.query_now("token");
  world.query_now("token");
  world.query_and_complete("other", status(401));
  world.query_now("other");
  world.query_now("not a token");
  world.query_and_complete("third", status(503));
  const LookupStatistics& lookups = world.service->lookups();
  CHECK(lookups.count(Source::kUpstream, Verdict::kValid) == 1);
  CHECK(lookups.count(Source::kCache, Verdict::kValid) == 2);
  CHECK(lookups.count(Source::kUpstream, Verdict::kInvalid) == 1);
  CHECK(lookups.count(Source::kCache, Verdict::kInvalid) == 1);
  CHECK(lookups.count(Source::kNone, Verdict::kInvalid) == 1);
  CHECK(lookups.count(Source::kNone, Verdict::kUnavailable) == 1);
  std::uint64_t all = 0;
  each_lookup_count(lookups, [&](auto, auto, std::uint64_t count) { all += count; });
  CHECK(all == world.counters().queries);
}

TEST_CASE("waits are timed from query to answer, and immediate answers are not timed") {
  ServiceHarness world;
  world.query("token");
  world.advance(30ms);
  world.query("token");  // joins the flight
  world.advance(10ms);
  world.complete_oldest(status(200));
  world.query_now("token");
  const DurationHistogram& waits = world.service->lookups().waits(Source::kUpstream);
  CHECK(waits.count() == 2);
  CHECK(waits.sum() == 50ms);
  CHECK(world.service->lookups().waits(Source::kCache).count() == 0);
}

TEST_CASE(
    "a wait that ends in a stale answer counts as stale, and an immediate failure is not timed") {
  Policy policy = plain_policy();
  policy.ttl.stale_if_error = 120s;
  policy.max_waiters = 1;
  ServiceHarness world(policy);
  world.query_and_complete("token", status(200));
  world.advance(61s);
  world.query("token");
  world.query_now("another");  // all waiter slots are in use
  world.advance(7ms);
  world.complete_oldest(status(503));
  const LookupStatistics& lookups = world.service->lookups();
  CHECK(lookups.waits(Source::kStale).count() == 1);
  CHECK(lookups.waits(Source::kStale).sum() == 7ms);
  CHECK(lookups.waits(Source::kNone).count() == 0);
}
