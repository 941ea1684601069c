// What another host of the fleet ordered: rules that name their subjects by fingerprints only.
#include "daemon/claims/revocation/action_list.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

constexpr HostId kThisHost{{1}};
constexpr HostId kOtherHost{{2}};

struct Fleet : ServiceHarness {
  Fleet() : ServiceHarness(fleet_policy()) {}
  static Policy fleet_policy() {
    Policy policy = plain_policy();
    policy.revocations.author = kThisHost;
    return policy;
  }
  // An order of the other host.
  Rule rule(RuleKind kind, const Fingerprint& subject, std::uint8_t number = 1) {
    return {.key = {{{number}}, 0},
            .name = {kind, subject},
            .made_at = clock.now(),
            .ends = end_after(clock.now(), 1h),
            .not_before = clock.now().wall,
            .without_iat_ends = end_after(clock.now(), 1h),
            .purged_until = clock.now().boot,
            .author = kOtherHost};
  }
  // Whether it was accepted; completes it on disk.
  bool apply(const Rule& rule) {
    bool durable = false;
    const bool accepted = service->apply(std::vector{rule}, [&](bool done) { durable = done; });
    revocation_log.commit();
    CHECK(durable == accepted);
    return accepted;
  }
};

}  // namespace

TEST_CASE("a token that another host revoked is invalid at once, cached or not") {
  Fleet fleet;
  fleet.query_and_complete("token", status(200));
  fleet.query_and_complete("token", status(200));  // in memory as well
  fleet.query_and_complete("token", status(200));
  CHECK(fleet.apply(fleet.rule(RuleKind::kToken, fleet.fingerprinter.of_token("token"))));
  CHECK(fleet.query_now("token").answer.reason == Reason::kRevoked);
  CHECK(fleet.query_and_complete("another", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("a request in flight when another host revokes does not answer valid") {
  Fleet fleet;
  const Waiter waiter = fleet.query("token");
  CHECK(fleet.apply(fleet.rule(RuleKind::kToken, fleet.fingerprinter.of_token("token"))));
  fleet.complete_oldest(status(200));
  CHECK(fleet.reason(waiter) == Reason::kRevoked);
}

TEST_CASE("a user that another host revoked is invalid, and the leases are withdrawn") {
  Fleet fleet;
  fleet.query_and_complete("token", status(200), {.wants_lease = true});
  REQUIRE(fleet.publisher.published() == 1);
  CHECK(fleet.apply(fleet.rule(RuleKind::kUser, fleet.fingerprinter.of_user(0, "user-123"))));
  CHECK(fleet.publisher.published() == 0);
  CHECK(fleet.query_now("token").answer.reason == Reason::kRevoked);
}

TEST_CASE("a withdrawal of another host ends its action, also if it arrives first") {
  Fleet fleet;
  const Rule rule = fleet.rule(RuleKind::kToken, fleet.fingerprinter.of_token("token"));
  const Withdrawal withdrawal{.action = rule.key.action,
                              .made_at = fleet.clock.now(),
                              .ends = rule.ends,
                              .author = kOtherHost};
  CHECK(fleet.service->apply(withdrawal, [](bool) {}));
  CHECK(fleet.apply(rule));
  CHECK(fleet.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  fleet.restart();
  CHECK(fleet.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("a purge of another host ignores earlier confirmations, and never shortens a later one") {
  Fleet fleet;
  const Fingerprint user = fleet.fingerprinter.of_user(0, "user-123");
  const Rule earlier = fleet.rule(RuleKind::kPurgeUser, user, 1);
  fleet.advance(1s);
  fleet.query_and_complete("token", status(200));
  fleet.advance(1s);
  CHECK(fleet.apply(fleet.rule(RuleKind::kPurgeUser, user, 2)));
  CHECK(fleet.apply(earlier));
  fleet.query("token");
  CHECK(fleet.upstream.in_flight().size() == 1);  // the cached answer is void
}

TEST_CASE("an action of another host that does not fit changes nothing") {
  Policy policy = Fleet::fleet_policy();
  policy.revocations.max_rules = 1;
  Fleet fleet;
  fleet.policy = policy;
  fleet.restart();
  const auto rule = [&](std::uint8_t number, const char* token) {
    return fleet.rule(RuleKind::kToken, fleet.fingerprinter.of_token(token), number);
  };
  CHECK(fleet.apply(rule(1, "first")));
  bool called = false;
  CHECK_FALSE(fleet.service->apply(std::vector{rule(2, "second")}, [&](bool) { called = true; }));
  CHECK_FALSE(called);
  CHECK(fleet.query_and_complete("second", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("new rules name their author; rules from before the fleet stay in effect on this host") {
  ServiceHarness before;
  before.revoke({.subject = Subject::kToken, .who = "old", .upstream = {}, .length = {}});
  before.revoke({.subject = Subject::kUser, .who = "user-123", .upstream = {}, .length = 1h});
  // The fleet's fingerprints differ from those of the host's own key.
  FakeFingerprinter of_fleet;
  for (int number = 0; number < 100; ++number) of_fleet.of_token(std::to_string(number));
  Policy policy = Fleet::fleet_policy();
  ClaimsService service(
      policy, {before.clock, before.random, before.keyer, before.cache, before.upstream,
               before.sink, before.observer, before.publisher, of_fleet, before.revocation_log,
               before.audit, &before.fingerprinter});
  service.restore(before.revocation_log.rules(), before.revocation_log.withdrawals());
  before.service.reset();
  before.sink.expect({.connection = 1, .request = 100});
  service.query({.token = "old", .timeout = 1s}, {.connection = 1, .request = 100});
  CHECK(before.sink.find({.connection = 1, .request = 100})->answer.reason == Reason::kRevoked);
  before.sink.expect({.connection = 1, .request = 101});
  service.query({.token = "of-the-user", .timeout = 1s}, {.connection = 1, .request = 101});
  const auto flight = before.upstream.take_oldest();
  service.on_complete(flight.id, status(200));
  CHECK(before.sink.find({.connection = 1, .request = 101})->answer.reason == Reason::kRevoked);
  service.revoke({.subject = Subject::kToken, .who = "new", .upstream = {}, .length = {}},
                 [](const ActionResult&) {});
  before.revocation_log.commit();
  std::size_t of_host = 0;
  std::size_t of_this = 0;
  list_actions(service.revocations(), {}, 100, [&](const ActionDescription& action) {
    (action.author == kThisHost ? of_this : of_host) += 1;
  });
  CHECK(of_host == 2);
  CHECK(of_this == 1);
}
