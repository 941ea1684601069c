// The simulated operator: purge and revoke.
#include <fmt/core.h>

#include "tests/sim/simulation.h"

namespace claimsd::sim {

using namespace daemon;
using namespace std::chrono_literals;

OrderRecord Simulation::draw_order(bool revokes, TokenNumber about) {
  const TokenRecord& token = records.token(about);
  OrderRecord order;
  order.revokes = revokes;
  order.made = clock.now();
  order.length = scenario.policy.revocations.undated;
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
    order.subject = Subject::kEverybody;
  }
  return order;
}

void Simulation::order(bool revokes, TokenNumber about) {
  records.orders.push_back(draw_order(revokes, about));
  carry_out(records.orders.size() - 1);
}

void Simulation::carry_out(std::size_t number) {
  // A copy: more orders may be added before the call returns.
  const OrderRecord given = records.orders[number];
  trace.note({steps_, clock.now(), given.revokes ? "revokes" : "purges",
              given.subject == Subject::kToken  ? "a token"
              : given.subject == Subject::kUser ? "a user"
                                                : "all users",
              given.subject == Subject::kToken ? static_cast<std::int64_t>(given.token_number) : -1,
              given.user});
  const Order order{.subject = given.subject,
                    .who = given.who,
                    .upstream = given.upstream,
                    .length = given.length,
                    .lock = given.lock};
  records.orders[number].in_effect = true;
  records.orders[number].perhaps_of_all =
      service->revocation_rules() + scenario.policy.upstreams.size() >
      scenario.policy.revocations.max_rules;
  const OrderDone done = [this, number](const OrderResult& result) {
    records.orders[number].in_effect = result.outcome == OrderOutcome::kDone;
    records.orders[number].durable = result.durable;
    for (OrderRecord& earlier : records.orders) {
      const OrderRecord& latest = records.orders[number];
      earlier.lingers |= result.durable && earlier.subject == latest.subject &&
                         earlier.who == latest.who && &earlier < &latest;
    }
  };
  if (given.revokes) {
    service->revoke(order, done);
  } else {
    service->purge(order, done);
  }
  records.orders[number].first_question_after =
      static_cast<QuestionNumber>(records.questions.size());
  records.step.order = number;
}

}  // namespace claimsd::sim
