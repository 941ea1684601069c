// Actions have ids, are kept singly, and can be withdrawn; a revocation covers every spelling of a
// token.
#include "daemon/claims/revocation/action_list.h"
#include "tests/claims/admin_actions.h"
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;

namespace {

AdminAction user(std::optional<Duration> length = {}) {
  return {
      .subject = Subject::kUser, .who = kUser, .upstream = {}, .length = length, .actor_uid = 7};
}
AdminAction locked() {
  AdminAction action = user(1h);
  action.lock = true;
  return action;
}

std::vector<ActionDescription> listed(const ServiceHarness& world) {
  std::vector<ActionDescription> all;
  list_actions(world.service->revocations(), {}, 100,
               [&](const ActionDescription& action) { all.push_back(action); });
  return all;
}

}  // namespace

TEST_CASE("a withdrawn revocation of a token ends, and its cached rejection with it") {
  ServiceHarness world;
  const Waiter before = world.query("token");
  const ActionResult revoked = world.revoke(token("token"));
  REQUIRE(revoked.id);
  world.complete_for("token", status(200));  // answered as revoked, and remembered
  CHECK(world.reason(before) == Reason::kRevoked);
  CHECK(world.unrevoke(*revoked.id).durable);
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
  CHECK(world.counters().withdrawals == 1);
}

TEST_CASE("withdrawing one revocation of a user leaves the others in force") {
  ServiceHarness world;
  world.query_and_complete("undated", status(200));
  const ActionResult first = world.revoke(user(1h));
  const ActionResult second = world.revoke(user(2h));
  CHECK(world.unrevoke(*second.id).outcome == ActionOutcome::kDone);
  CHECK(world.query_now("undated").answer.reason == Reason::kRevoked);
  world.advance(90min);  // beyond the first one for tokens without iat, not beyond the second
  CHECK(world.query_and_complete("undated", status(200)).answer.reason == Reason::kOk);
  CHECK(world.unrevoke(*first.id).outcome == ActionOutcome::kDone);
}

TEST_CASE("a withdrawn lock frees tokens issued later and earlier") {
  ServiceHarness world;
  const ActionResult lock = world.revoke(locked());
  CHECK(world.query_and_complete("undated", status(200)).answer.reason == Reason::kRevoked);
  world.unrevoke(*lock.id);
  CHECK(world.query_and_complete("undated", status(200)).answer.reason == Reason::kOk);
  CHECK(world.service->revocation_rules() == 0);
}

TEST_CASE("a durable withdrawal survives a restart, a lost one does not") {
  ServiceHarness world;
  const ActionResult revoked = world.revoke(token("token"));
  world.service->unrevoke(*revoked.id, 0, [](const ActionResult&) {});
  CHECK(world.service->revocation_rules() == 0);
  world.restart();  // before it is on disk
  CHECK(world.query_now("token").answer.reason == Reason::kRevoked);
  world.unrevoke(*revoked.id);
  world.restart();
  CHECK(world.query_and_complete("token", status(200)).answer.reason == Reason::kOk);
}

TEST_CASE("only a revocation that is stored and not withdrawn can be withdrawn") {
  ServiceHarness world;
  CHECK(world.unrevoke({}).outcome == ActionOutcome::kUnknownAction);
  const ActionResult purged = world.purge(user());
  REQUIRE(purged.id);
  CHECK(world.unrevoke(*purged.id).outcome == ActionOutcome::kNotWithdrawable);
  const ActionResult revoked = world.revoke(token("token"));
  CHECK(world.unrevoke(*revoked.id).outcome == ActionOutcome::kDone);
  CHECK(world.unrevoke(*revoked.id).outcome == ActionOutcome::kWithdrawnEarlier);
}

TEST_CASE("a withdrawal is kept until the action it names has ended") {
  ServiceHarness world;
  const ActionResult revoked = world.revoke(token(jwt_expiring(10min)));
  world.unrevoke(*revoked.id);
  world.advance(5min);
  world.revocation_log.commit();
  CHECK(world.revocation_log.withdrawals().size() == 1);
  world.clock.advance(24h);
  for (int i = 0; i < 5; ++i) world.advance(2min);
  world.revocation_log.commit();
  CHECK(world.revocation_log.rules().empty());
  CHECK(world.revocation_log.withdrawals().empty());
}

TEST_CASE("the list shows each action with its author, end and withdrawal, and no purge") {
  ServiceHarness world;
  world.purge(user());
  const ActionResult lock = world.revoke(locked());
  const ActionResult revoked = world.revoke(token("token"));
  world.advance(1s);
  world.unrevoke(*revoked.id);
  const std::vector<ActionDescription> all = listed(world);
  REQUIRE(all.size() == 2);
  const bool lock_first = all[0].id == *lock.id;
  const ActionDescription& of_lock = all[lock_first ? 0 : 1];
  const ActionDescription& of_token = all[lock_first ? 1 : 0];
  CHECK(of_lock.kind == RuleKind::kLock);
  CHECK(of_lock.actor_uid == 7);
  CHECK_FALSE(of_lock.withdrawn_at);
  CHECK(of_token.kind == RuleKind::kToken);
  CHECK(of_token.withdrawn_at == world.clock.now().wall);
}

TEST_CASE("a long list comes in pages that together show each action once") {
  ServiceHarness world;
  for (int i = 0; i < 25; ++i) world.revoke(token("token" + std::to_string(i)));
  std::vector<ActionId> seen;
  std::optional<ActionId> next;
  do {
    next = list_actions(world.service->revocations(), next, 10,
                        [&](const ActionDescription& action) { seen.push_back(action.id); });
  } while (next);
  CHECK(seen.size() == 25);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
}

TEST_CASE("a later purge replaces an earlier one, so purges do not use up the capacity") {
  Policy policy = plain_policy();
  policy.revocations.max_rules = 1;
  ServiceHarness world(policy);
  for (int i = 0; i < 10; ++i) {
    world.query_and_complete("token", status(200));
    world.advance(1ms);
    CHECK(world.purge(user()).outcome == ActionOutcome::kDone);
    CHECK_FALSE(world.answered(world.query("token")));
    world.complete_for("token", status(200));
  }
  CHECK(world.revocation_log.rules().size() == 1);
}

TEST_CASE("a revocation of all users has room when the capacity is used up, within its reserve") {
  Policy policy = plain_policy();
  policy.revocations.max_rules = 1;
  ServiceHarness world(policy);
  const AdminAction everyone{
      .subject = Subject::kAllUsers, .who = {}, .upstream = {}, .length = {}};
  world.revoke(token("token"));
  for (std::size_t i = 0; i < Revocations::kReserve; ++i)
    CHECK(world.revoke(everyone).outcome == ActionOutcome::kDone);
  CHECK(world.revoke(everyone).outcome == ActionOutcome::kFull);
}

TEST_CASE("a revoked token is invalid in every spelling that a verifier may accept") {
  ServiceHarness world;
  const std::string spelled = jwt(R"({"sub":"a"})");
  const std::string other = jwt(R"({"sub":"b"})");
  std::vector<std::string> spellings{spelled, spelled + "=", spelled + "~", spelled + "=="};
  for (const char last : std::string_view("FGHk")) {
    spellings.push_back(spelled);
    spellings.back().back() = last;
  }
  spellings.push_back(spelled);
  spellings.back().insert(spelled.size() - 3, "~");
  for (const std::string& one : spellings)
    CHECK(world.query_and_complete(one, status(200), {.wants_lease = true}).answer.reason ==
          Reason::kOk);
  world.query_and_complete(other, status(200), {.wants_lease = true});
  REQUIRE(world.publisher.published() == spellings.size() + 1);
  const ActionResult revoked = world.revoke(token(spelled));
  CHECK_FALSE(revoked.other_spellings);
  CHECK(world.publisher.published() == 1);
  for (const std::string& one : spellings)
    CHECK(world.query_now(one).answer.reason == Reason::kRevoked);
  CHECK(world.query_now(other).answer.reason == Reason::kOk);
}

TEST_CASE("a revocation of an opaque token says that another spelling may exist") {
  ServiceHarness world;
  CHECK(world.revoke(token("opaque")).other_spellings);
}

TEST_CASE("a revocation says whether anything was known about the token") {
  ServiceHarness world;
  CHECK(world.revoke(token("unknown")).known == false);
  world.query_and_complete("cached", status(200));
  CHECK(world.revoke(token("cached")).known == true);
  world.query_and_complete("rejected", status(401));
  CHECK(world.revoke(token("rejected")).known == true);
  world.query("in-flight");
  CHECK(world.revoke(token("in-flight")).known == true);
}
