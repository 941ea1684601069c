// Purge and revoke take effect immediately and stay in effect.
#include "proto/limits.h"
#include "tests/claims/admin_actions.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

AdminAction user(std::string_view id = kUser) {
  return {.subject = Subject::kUser, .who = id, .upstream = {}, .length = {}};
}
AdminAction everybody() {
  return {.subject = Subject::kAllUsers, .who = {}, .upstream = {}, .length = {}};
}
AdminAction lasting(AdminAction action, Duration length) {
  action.length = length;
  return action;
}
AdminAction locking(AdminAction action) {
  action.lock = true;
  return action;
}

// A JWT issued this long after the start of FakeClock; negative: before it.
std::string issued(seconds after, int number = 0) {
  const auto at = FakeClock().now().wall.time_since_epoch() + after;
  return jwt("{\"iat\":" + std::to_string(at / 1s) + ",\"jti\":" + std::to_string(number) + "}");
}

}  // namespace

TEST_CASE("a purged token is verified again, and no other token is") {
  ServiceHarness world;
  world.query_and_complete("purged", status(200));
  world.query_and_complete("kept", status(200));
  CHECK(world.purge(token("purged")).durable);
  CHECK_FALSE(world.answered(world.query("purged")));
  CHECK(world.query_now("kept").answer.reason == Reason::kOk);
  world.complete_for("purged", status(200));
  CHECK(world.query_now("purged").answer.reason == Reason::kOk);
}

TEST_CASE("a purge removes the token's negative entry") {
  ServiceHarness world;
  world.query_and_complete("token", status(401));
  world.purge(token("token"));
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("a query after a purge waits for a request that started after the purge") {
  ServiceHarness world;
  const AdminAction orders[] = {token("token"), user(), everybody()};
  for (const AdminAction& action : orders) {
    world.purge(token("token"));
    world.advance(1ms);
    const Waiter before = world.query("token");
    world.advance(1ms);
    world.purge(action);
    world.advance(1ms);
    const Waiter after = world.query("token");
    world.complete_for("token", status(200));
    CHECK(world.reason(before) == Reason::kOk);  // queried before the purge
    CHECK(world.answer(before).answer.ttl_remaining == 0s);
    CHECK_FALSE(world.answered(after));
    world.complete_for("token", status(401));
    CHECK(world.reason(after) == Reason::kRejected);
  }
}

TEST_CASE("the result of a purged flight is neither cached nor published") {
  ServiceHarness world;
  world.query("token");
  world.advance(1ms);
  world.purge(token("token"));
  world.complete_for("token", status(200));
  CHECK_FALSE(world.cache.holds(world.key_of("token")));
  CHECK(world.publisher.find(world.key_of("token")) == nullptr);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("a purge of a user removes that user's tokens, also across a restart") {
  ServiceHarness world;
  world.query_and_complete("theirs", status(200));
  world.query_and_complete("other", status(200, R"({"id": "user-9"})"));
  world.advance(1ms);
  world.purge(user());
  world.restart();
  CHECK_FALSE(world.answered(world.query("theirs")));
  CHECK(world.query_now("other").answer.reason == Reason::kOk);
}

TEST_CASE("a purge of all users removes all tokens and invalidates none") {
  ServiceHarness world;
  world.query_and_complete("a", status(200));
  world.query_and_complete("b", status(401));
  world.advance(1ms);
  world.purge(everybody());
  world.advance(1ms);
  CHECK(world.query_and_complete("a", status(200)).answer.source == proto::Source::kUpstream);
  CHECK(world.query_and_complete("b", status(200)).answer.reason == Reason::kOk);
  CHECK(world.query_now("a").answer.source == proto::Source::kCache);
}

TEST_CASE("a purge without room for its rule purges all users") {
  Policy policy = plain_policy();
  policy.revocations.max_rules = 1;
  ServiceHarness world(policy);
  world.query_and_complete("token", status(200));
  world.advance(1ms);
  CHECK(world.revoke(user("user-1")).outcome == ActionOutcome::kDone);
  CHECK(world.purge(user()).outcome == ActionOutcome::kDone);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("a revoked token is invalid whatever the Auth API says, without a request") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.query_and_complete("other", status(200));
  const ActionResult result = world.revoke(token("token"));
  CHECK(result.outcome == ActionOutcome::kDone);
  CHECK(result.durable);
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
  CHECK(world.query_now("token", {.max_age = 0s}).answer.reason == Reason::kRevoked);
  CHECK(world.query_now("other").answer.reason == Reason::kOk);
  CHECK(world.upstream.requests() == 2);
  CHECK(world.counters().revoked_answers == 2);
}

TEST_CASE("a late 200 does not restore a revoked token") {
  ServiceHarness world;
  const Waiter before = world.query("token");
  world.revoke(token("token"));
  world.complete_for("token", status(200));
  CHECK(world.reason(before) == Reason::kRevoked);
  CHECK_FALSE(world.cache.holds(world.key_of("token")));
}

TEST_CASE("a late 200 for a revoked user is answered as revoked, and that is cached") {
  ServiceHarness world;
  const Waiter before = world.query(issued(-10s));
  world.advance(1s);
  world.revoke(user());
  world.complete_oldest(status(200));
  CHECK(world.reason(before) == Reason::kRevoked);
  CHECK(world.query_now(issued(-10s)).answer.reason == Reason::kRevoked);
  CHECK(world.upstream.requests() == 1);
  // After the negative TTL the token is verified again and is still revoked.
  world.advance(6s);
  CHECK(world.query_and_complete(issued(-10s), status(200)).answer.reason == Reason::kRevoked);
}

TEST_CASE("revoking a user invalidates tokens issued earlier, and none issued later") {
  ServiceHarness world;
  world.query_and_complete(issued(-10s), status(200));
  world.query_and_complete("undated", status(200));
  world.advance(1s);
  world.revoke(user());
  CHECK(world.query_now(issued(-10s)).answer.reason == Reason::kRevoked);
  CHECK(world.query_now("undated").answer.reason == Reason::kRevoked);
  CHECK(world.query_and_complete(issued(2s), status(200)).answer.reason == Reason::kOk);
  CHECK(
      world.query_and_complete(issued(-10s, 1), status(200, R"({"id": "user-9"})")).answer.reason ==
      Reason::kOk);
}

TEST_CASE("tokens without iat are revoked for the requested time only") {
  Policy policy = plain_policy();
  policy.revocations.margin = 0s;
  ServiceHarness world(policy);
  world.revoke(lasting(user(), 1h));
  world.advance(1h - 1s);
  CHECK(world.query_and_complete("undated", status(200)).answer.reason == Reason::kRevoked);
  world.advance(10s);
  CHECK(world.query_and_complete("undated", status(200)).answer.reason == Reason::kOk);
  CHECK(world.query_and_complete(issued(-10s), status(200)).answer.reason == Reason::kRevoked);
}

TEST_CASE("a lock also invalidates tokens issued later, until it ends") {
  ServiceHarness world;
  world.revoke(locking(lasting(user(), 1h)));
  CHECK(world.query_and_complete(issued(1800s), status(200)).answer.reason == Reason::kRevoked);
  world.advance(1h + 1s);
  CHECK(world.query_and_complete(issued(1800s, 1), status(200)).answer.reason == Reason::kOk);
  CHECK(world.query_and_complete(issued(-10s, 2), status(200)).answer.reason == Reason::kRevoked);
}

TEST_CASE("a wall clock step does not end a lock early") {
  ServiceHarness world;
  world.revoke(locking(lasting(user(), 1h)));
  world.clock.step_wall(48h);
  world.advance(1s);
  CHECK(world.query_and_complete(issued(47h), status(200)).answer.reason == Reason::kRevoked);
}

TEST_CASE("revoking all users invalidates all tokens issued earlier") {
  ServiceHarness world;
  world.query_and_complete(issued(-10s), status(200));
  world.query_and_complete(issued(-10s, 1), status(200, R"({"id": "user-9"})"));
  world.advance(1s);
  world.revoke(everybody());
  CHECK(world.query_now(issued(-10s)).answer.reason == Reason::kRevoked);
  CHECK(world.query_now(issued(-10s, 1)).answer.reason == Reason::kRevoked);
  CHECK(world.query_and_complete(issued(2s), status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("a durable revocation survives a restart") {
  ServiceHarness world;
  world.query_and_complete(issued(-10s), status(200));
  world.query_and_complete("token", status(200, R"({"id": "user-9"})"));
  world.advance(1s);
  world.revoke(user());
  world.revoke(token("token"));
  world.restart();
  CHECK(world.query_now(issued(-10s)).answer.reason == Reason::kRevoked);
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
}

TEST_CASE("a revocation that could not be persisted is in effect and reported as not durable") {
  ServiceHarness world;
  world.revocation_log.write_fault.arm(0, 1);
  CHECK_FALSE(world.revoke(token("token")).durable);
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
}

TEST_CASE("a revocation is in effect before it is durable") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  bool confirmed = false;
  world.service->revoke(token("token"), [&](const ActionResult&) { confirmed = true; });
  CHECK_FALSE(confirmed);
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
  world.revocation_log.commit();
  CHECK(confirmed);
}

TEST_CASE("if the rules are full, a new revocation is refused and none is evicted") {
  Policy policy = plain_policy();
  policy.revocations.max_rules = 2;
  ServiceHarness world(policy);
  world.revoke(token("a"));
  world.revoke(token("b"));
  CHECK(world.revoke(token("c")).outcome == ActionOutcome::kFull);
  CHECK(world.revoke(everybody()).outcome == ActionOutcome::kDone);
  CHECK(world.query_now("a").answer.reason == Reason::kRevoked);
  CHECK(world.query_now("b").answer.reason == Reason::kRevoked);
}

TEST_CASE("the rule of a token ends with the token and frees its space") {
  Policy policy = plain_policy();
  policy.revocations.max_rules = 1;
  ServiceHarness world(policy);
  const std::string aggregated = jwt_expiring(1min);
  world.revoke(token(aggregated));
  CHECK(world.service->revocation_rules() == 1);
  CHECK(world.revoke(token("b")).outcome == ActionOutcome::kFull);
  world.advance(1min + policy.ttl.clock_skew + policy.revocations.margin + 1s);
  CHECK(world.revoke(token("b")).outcome == ActionOutcome::kDone);
  CHECK(world.query_now(aggregated).answer.reason == Reason::kExpired);
  CHECK(world.revocation_log.rules().size() == 1);
}

TEST_CASE("a revocation made while answering one waiter applies to the next waiters") {
  ServiceHarness world;
  const Waiter first = world.query(issued(-10s));
  const Waiter second = world.query(issued(-10s));
  world.advance(1s);
  world.sink.on_answer = [&](const Waiter& waiter) {
    if (waiter.request == first.request) world.service->revoke(user(), [](const ActionResult&) {});
  };
  world.complete_oldest(status(200));
  CHECK(world.reason(first) == Reason::kOk);
  CHECK(world.reason(second) == Reason::kRevoked);
}

TEST_CASE("leases are withdrawn before a purge, a revocation or a rejection is acknowledged") {
  ServiceHarness world;
  const std::string held = issued(-10s);
  const auto show = [&] {
    world.purge(token(held));
    world.advance(1ms);
    world.query_and_complete(held, status(200));
    const auto entry = world.cache.find(world.key_of(held));
    world.publisher.publish(0, held, world.key_of(held), *entry,
                            {.lease = world.clock.now().boot + 5s, .hard = WallTime::max()});
    return [&] { return world.publisher.find(world.key_of(held)) != nullptr; };
  };
  const auto published = show();
  REQUIRE(published());
  SECTION("a purged token") {
    world.purge(token(held));
  }
  SECTION("a purged user") {
    world.purge(user());
  }
  SECTION("all users purged") {
    world.purge(everybody());
  }
  SECTION("a revoked token") {
    world.revoke(token(held));
  }
  SECTION("a revoked user") {
    world.revoke(user());
  }
  SECTION("all users revoked") {
    world.revoke(everybody());
  }
  SECTION("a rejection") {
    bool shown_to_somebody = true;
    world.sink.on_answer = [&](const Waiter&) { shown_to_somebody = published(); };
    world.query_and_complete(held, status(401), {.max_age = 0s});
    CHECK_FALSE(shown_to_somebody);
  }
  CHECK_FALSE(published());
}

TEST_CASE("revoking a user applies to all Auth APIs, or to the named one") {
  Policy policy = plain_policy();
  policy.upstreams.push_back({.name = "second"});
  ServiceHarness world(policy);
  AdminAction at_second = user();
  at_second.upstream = UpstreamId{1};
  world.revoke(at_second);
  CHECK(world.query_and_complete("a", status(200)).answer.reason == Reason::kOk);
  CHECK(world.query_and_complete("b", status(200), {.upstream = 1}).answer.reason ==
        Reason::kRevoked);
  world.revoke(user());
  CHECK(world.query_now("a").answer.reason == Reason::kRevoked);
}

TEST_CASE("a malformed token or user id is refused") {
  ServiceHarness world;
  CHECK(world.revoke(token("not a token")).outcome == ActionOutcome::kNoToken);
  CHECK(world.purge(token(std::string(proto::kMaxToken + 1, 'a'))).outcome ==
        ActionOutcome::kNoToken);
  CHECK(world.revoke(user("")).outcome == ActionOutcome::kNoUser);
  CHECK(world.service->revocation_rules() == 0);
}

TEST_CASE("without revocations no fingerprint is computed") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  world.query_now("token");
  CHECK(world.fingerprinter.made() == 0);
}

TEST_CASE("many rules that end together are removed in bounded steps, each once") {
  Policy policy = plain_policy();
  policy.revocations.margin = 0s;
  ServiceHarness world(policy);
  constexpr std::size_t kRules = 2 * Revocations::kMaxSteps + 10;
  for (std::size_t i = 0; i < kRules; ++i)
    world.revoke(lasting(token("token" + std::to_string(i)), 1min));
  for (int i = 0; i < 10; ++i) world.revoke(lasting(token("again"), 2min));
  world.clock.advance(61s);
  for (const std::size_t left :
       {kRules - Revocations::kMaxSteps, std::size_t{10}, std::size_t{0}}) {
    world.service->tick();
    CHECK(world.service->revocation_rules() == left + 10);
  }
  CHECK(world.query_now("again").answer.reason == Reason::kRevoked);
  world.clock.step_wall(-1h);
  for (int i = 0; i < 30; ++i) world.advance(2min);
  CHECK(world.service->revocation_rules() == 10);  // the wall clock has not reached its end
  world.clock.advance(10min);
  for (int i = 0; i < 10; ++i) world.advance(2min);
  CHECK(world.service->revocation_rules() == 0);
}

TEST_CASE("after a reboot a rule lasts its whole length again, and a purge is dropped") {
  const Now made = FakeClock().now();
  Rule lock{.name = {RuleKind::kLock, {}}, .made_at = made, .ends = end_after(made, 1h)};
  const Now rebooted{BootTime(5s), made.wall + 30min};
  const auto again = after_reboot(lock, rebooted);
  REQUIRE(again);
  CHECK_FALSE(again->ends.has_come({BootTime(1h + 4s), made.wall + 48h}));
  CHECK(again->ends.has_come({BootTime(1h + 5s), made.wall + 48h}));
  lock.name.kind = RuleKind::kPurgeUser;
  CHECK_FALSE(after_reboot(lock, rebooted));
}

TEST_CASE("iat is compared including its fraction") {
  ServiceHarness world;
  world.clock.advance(500ms);
  world.revoke(user());
  const auto at = FakeClock().now().wall.time_since_epoch() / 1s;
  const auto issued_at = [&](std::string_view fraction, std::string_view more = "") {
    return jwt("{\"iat\":" + std::to_string(at) + std::string(fraction) + std::string(more) + "}");
  };
  const auto reason_of = [&](const std::string& token) {
    return world.query_and_complete(token, status(200)).answer.reason;
  };
  CHECK(reason_of(issued_at(".499")) == Reason::kRevoked);
  CHECK(reason_of(issued_at(".500")) == Reason::kOk);
  // The stricter value counts.
  CHECK(reason_of(issued_at(".999", ",\"iat\":1")) == Reason::kRevoked);
  CHECK(reason_of(issued_at("", ",\"jti\":1")) == Reason::kRevoked);
  CHECK(reason_of(jwt(R"({"iat":"1"})")) == Reason::kRevoked);     // a number as text counts
  CHECK(reason_of(jwt(R"({"iat":"soon"})")) == Reason::kRevoked);  // unreadable: no iat
  CHECK(reason_of(jwt(R"({"iat":-5})")) == Reason::kRevoked);
}

TEST_CASE("revocations stay in effect across a suspend") {
  ServiceHarness world;
  world.revoke(lasting(locking(user()), 1h));
  world.revoke(lasting(token("token"), 1h));
  world.clock.advance(30min);  // without a tick
  CHECK(world.query_and_complete(issued(1s), status(200)).answer.reason == Reason::kRevoked);
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
  world.clock.step_wall(-24h);
  world.advance(29min);
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
}

TEST_CASE("wall clock steps in either direction do not restore a revoked token") {
  ServiceHarness world;
  const std::string aggregated = jwt_expiring(10min);
  world.revoke(token(aggregated));
  for (const Duration step : {Duration(48h), Duration(-96h), Duration(48h)}) {
    world.clock.step_wall(step);
    world.advance(2min);
    CHECK(world.query_now(aggregated).answer.reason != Reason::kOk);
  }
}

TEST_CASE("a confirmation of a purged flight does not restore a token rejected afterwards") {
  ServiceHarness world;
  const Waiter before = world.query("token");
  world.advance(1ms);
  world.purge(token("token"));
  const Waiter after = world.query("token");
  world.complete_oldest(status(200));
  world.complete_oldest(status(401));
  CHECK(world.reason(before) == Reason::kOk);
  CHECK(world.reason(after) == Reason::kRejected);
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
  CHECK_FALSE(world.cache.holds(world.key_of("token")));
}

TEST_CASE("an in-memory entry is checked again after every purge and revocation") {
  ServiceHarness world;
  const std::string held = issued(-10s);
  const auto warm_up = [&] {
    world.advance(1ms);
    world.query_and_complete(held, status(200));
    for (int i = 0; i < 3; ++i)
      REQUIRE(world.query_now(held).answer.source == proto::Source::kCache);
    world.advance(1ms);
  };
  warm_up();
  SECTION("a revoked user") {
    world.revoke(user());
    CHECK(world.query_now(held).answer.reason == Reason::kRevoked);
  }
  SECTION("all users revoked") {
    world.revoke(everybody());
    CHECK(world.query_now(held).answer.reason == Reason::kRevoked);
  }
  SECTION("a revoked token") {
    world.revoke(token(held));
    CHECK(world.query_now(held).answer.reason == Reason::kRevoked);
  }
  SECTION("purges") {
    for (const AdminAction& action : {token(held), user(), everybody()}) {
      world.purge(action);
      CHECK_FALSE(world.answered(world.query(held)));
      world.complete_oldest(status(200));
      warm_up();
    }
  }
}
