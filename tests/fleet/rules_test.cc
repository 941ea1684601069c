#include "daemon/fleet/rules.h"

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::fleet {
namespace {

using claims::Rule;
using claims::RuleKind;

struct Fixture {
  std::vector<Rule> order(RuleKind kind, Duration length) const {
    Rule rule{.key = {{{1}}, 0},
              .name = {kind, {{2}}},
              .made_at = clock.now(),
              .ends = claims::end_after(clock.now(), length),
              .not_before = clock.now().wall,
              .without_iat_ends = claims::end_after(clock.now(), length / 2),
              .purged_until = clock.now().boot,
              .actor_uid = 7,
              .author = {{3}}};
    Rule second = rule;
    second.key.part = 1;
    second.name.kind = RuleKind::kLock;
    return {rule, second};
  }
  // On another host, whose boot clock reads something else.
  Now elsewhere(Duration later) const {
    return {BootTime(seconds(5)) + later, clock.now().wall + later};
  }
  testing::FakeClock clock;
};

TEST_CASE("a rule means the same on another host: same names, times, author and end") {
  const Fixture at;
  const std::vector<Rule> sent = at.order(RuleKind::kUser, std::chrono::hours(1));
  const Now there = at.elsewhere(seconds(60));
  const auto received = rules_of(action_of(sent), there, there.wall);
  REQUIRE(received);
  REQUIRE(received->size() == 2);
  const Rule& rule = received->front();
  CHECK(rule.key == sent[0].key);
  CHECK((*received)[1].key == sent[1].key);
  CHECK(rule.name == sent[0].name);
  CHECK(rule.not_before == sent[0].not_before);
  CHECK(rule.ends.wall == sent[0].ends.wall);
  CHECK(rule.ends.boot == there.boot + std::chrono::hours(1) - seconds(60));
  CHECK(rule.actor_uid == 7);
  CHECK(rule.author == sent[0].author);
  CHECK(end_of(action_of(sent)) == sent[0].ends.wall);
}

TEST_CASE("a repeated action never ends later, and a purge never covers later confirmations") {
  const Fixture at;
  const auto purge = action_of(at.order(RuleKind::kPurgeUser, std::chrono::minutes(15)));
  const Now first = at.elsewhere(seconds(1));
  const Now later = at.elsewhere(seconds(600));
  const auto early = rules_of(purge, first, first.wall);
  const auto late = rules_of(purge, later, later.wall);
  REQUIRE(early);
  REQUIRE(late);
  CHECK(early->front().ends.boot == late->front().ends.boot);
  CHECK(early->front().purged_until == first.boot + seconds(1));  // a second ago, plus the skew
  CHECK(late->front().purged_until == early->front().purged_until);
}

TEST_CASE("a purge of a host whose clock is ahead covers no more than the skew") {
  const Fixture at;
  auto purge = action_of(at.order(RuleKind::kPurgeUser, std::chrono::minutes(15)));
  purge.made_at += Duration(std::chrono::hours(1)).count();
  const Now there = at.elsewhere(seconds(1));
  CHECK(rules_of(purge, there, there.wall)->front().purged_until == there.boot + kPurgeSkew);
}

TEST_CASE("an action with an unknown kind of rule is refused") {
  const Fixture at;
  const auto good = action_of(at.order(RuleKind::kUser, std::chrono::hours(1)));
  const Now there = at.elsewhere({});
  CHECK(rules_of(good, there, there.wall));
  auto bad = good;
  bad.rules[1].kind = 7;
  CHECK_FALSE(rules_of(bad, there, there.wall));
}

}  // namespace
}  // namespace claimsd::fleet
