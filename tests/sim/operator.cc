// The simulated operator: purge and revoke.
#include <fmt/core.h>

#include "tests/sim/simulation.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

ActionRecord Simulation::draw_order(bool revokes, TokenNumber about) {
  const TokenRecord& token = records.token(about);
  ActionRecord order;
  order.revokes = revokes;
  order.made = clock.now();
  order.length = scenario.policy.revocations.without_iat;
  if (dice.percent(50)) order.length = dice.between(1s, 100s);
  const unsigned subject = dice.below(10);
  if (subject < 5) {
    order.subject = Subject::kToken;
    order.who = token.text;
    order.token_number = about;
    // A token's rule lasts until its exp; without exp, for the requested time.
    if (token.expires_at != WallTime::max()) {
      order.length = std::max(Duration(0), token.expires_at - order.made.wall);
    }
  } else if (subject < 9) {
    order.subject = Subject::kUser;
    order.user = token.user;
    order.who = fmt::format("user-{}", token.user);
    if (dice.percent(50)) order.upstream = token.upstream;
    order.lock = revokes && dice.percent(30);
  } else {
    order.subject = Subject::kAllUsers;
  }
  return order;
}

void Simulation::order(bool revokes, TokenNumber about) {
  records.orders.push_back(draw_order(revokes, about));
  carry_out(records.orders.size() - 1);
}

void Simulation::carry_out(std::size_t number) {
  // A copy: more orders may be added before the call returns.
  const ActionRecord given = records.orders[number];
  trace.note({steps_, clock.now(), given.revokes ? "revokes" : "purges",
              given.subject == Subject::kToken  ? "a token"
              : given.subject == Subject::kUser ? "a user"
                                                : "all users",
              given.subject == Subject::kToken ? static_cast<std::int64_t>(given.token_number) : -1,
              given.user});
  const AdminAction order{.subject = given.subject,
                          .who = given.who,
                          .upstream = given.upstream,
                          .length = given.length,
                          .lock = given.lock};
  records.orders[number].in_effect = true;
  records.orders[number].perhaps_of_all =
      service->revocations().stored() + scenario.policy.upstreams.size() >
      scenario.policy.revocations.max_rules;
  const ActionDone done = [this, number](const ActionResult& result) {
    ActionRecord& made = records.orders[number];
    if (result.outcome != ActionOutcome::kDone) made.in_effect = false;
    if (!result.id) made.durable = result.durable;  // a purge without a rule
  };
  revocation_log.last_action.reset();
  if (given.revokes) {
    service->revoke(order, done);
  } else {
    service->purge(order, done);
  }
  records.orders[number].id = revocation_log.last_action;
  records.orders[number].first_query_after = static_cast<QueryNumber>(records.queries.size());
  records.step.order = number;
}

void Simulation::withdraw_some() {
  ActionRecord* order = nullptr;
  for (unsigned tries = 4; tries > 0 && order == nullptr && !records.orders.empty(); --tries) {
    ActionRecord& drawn = records.orders[dice.below(records.orders.size())];
    if (drawn.id) order = &drawn;
  }
  trace.note({steps_, clock.now(), "withdraws", order == nullptr ? "nothing" : "", -1, 0});
  bool refused = false;
  service->unrevoke(order == nullptr ? ActionId{} : *order->id, 0, [&](const ActionResult& result) {
    refused = result.outcome != ActionOutcome::kDone;
  });
  if (order == nullptr || !order->revokes) {
    if (!refused) records.step.broken_port = "a withdrawal of nothing succeeds";
    return;
  }
  const bool may_be_refused = !order->in_effect || order->withdrawn || order->over;
  if (refused && !may_be_refused) records.step.broken_port = "a revocation cannot be withdrawn";
  order->withdrawn |= !refused;
}

void Simulation::became_durable(const RevocationChange& change) {
  for (ActionRecord& order : records.orders) {
    for (const Rule& rule : change.rules) order.durable |= order.id == rule.key.action;
    for (const Withdrawal& one : change.withdrawals)
      order.withdrawal_durable |= order.id == one.action;
  }
}

}  // namespace claimsd::sim
