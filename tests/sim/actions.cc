#include "tests/sim/actions.h"

#include <array>

#include "tests/sim/simulation.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

namespace {

UpstreamId some_upstream(Simulation& sim) {
  return static_cast<UpstreamId>(sim.dice.below(sim.scenario.policy.upstreams.size()));
}

// ---- Auth API -----------------------------------------------------------------------------------

void outage(Simulation& sim) {
  const UpstreamId upstream = some_upstream(sim);
  const auto how =
      static_cast<Outage>(1 + sim.dice.below(static_cast<std::size_t>(Outage::kCount) - 1));
  ++sim.coverage.outages[static_cast<std::size_t>(how)];
  sim.api.begin_outage(upstream, how);
  sim.end_outage_after(upstream, sim.dice.about(40 * sim.scenario.gap) + 100ms);
}

void new_instance(Simulation& sim) {
  const auto how =
      static_cast<OldInstance>(sim.dice.below(static_cast<unsigned>(OldInstance::kCount)));
  sim.upstream.pools[some_upstream(sim)].deploy(how);
}

void token_ends(Simulation& sim) {
  sim.records.token(sim.popular_token()).good = false;
}
void token_is_good_again(Simulation& sim) {
  for (const TokenNumber number : sim.known) {
    sim.records.token(number).good = true;
    sim.records.token(number).poison = false;
  }
}
void token_breaks_the_auth_api(Simulation& sim) {
  sim.records.token(sim.popular_token()).poison = true;
}
void role_changes(Simulation& sim) {
  sim.api.change_user(sim.dice.below(sim.api.users()));
}

void login(Simulation& sim) {
  const std::size_t place = sim.dice.below(sim.known.size());
  sim.known[place] = sim.new_token(sim.dice.percent(80) ? TokenKind::kJwt : TokenKind::kWithoutIat);
}

// ---- clocks and the host ------------------------------------------------------------------------

void wall_clock_goes_forward(Simulation& sim) {
  sim.clock.step_wall(sim.dice.percent(50) ? sim.dice.between(1s, 100s)
                                           : sim.dice.between(60s, 100'000s));
}
void wall_clock_goes_back(Simulation& sim) {
  sim.clock.step_wall(sim.dice.percent(50) ? -sim.dice.between(1s, 100s)
                                           : -sim.dice.between(60s, 100'000s));
}
void suspend(Simulation& sim) {
  sim.clock.pass(sim.dice.between(1s, 1000s));
}

void crash(Simulation& sim) {
  sim.restart(true);
}
void stop_and_start(Simulation& sim) {
  if (sim.records.stopping) return;
  sim.stop();
  sim.restart_after(sim.dice.between(0s, 5s));
}

// ---- operator -----------------------------------------------------------------------------------

void purge(Simulation& sim) {
  sim.order(false);
}
void revoke(Simulation& sim) {
  sim.order(true);
}
void unrevoke(Simulation& sim) {
  sim.withdraw_some();
}
void older_revocations(Simulation& sim) {
  sim.revocation_log.restore_older(sim.dice);
  sim.restart(true);
}
void host_is_not_current(Simulation& sim) {
  sim.lose_fleet_for(sim.dice.about(10 * sim.scenario.gap) + 10ms);
}
void rules_cannot_be_written(Simulation& sim) {
  sim.revocation_log.failing_writes = 1;
}

// ---- clients ------------------------------------------------------------------------------------

void everybody_asks_for_one(Simulation& sim) {
  const TokenNumber token = sim.popular_token();
  for (unsigned left = 5 + sim.dice.below(60); left > 0; --left) sim.ask_step(token);
}
void everybody_asks(Simulation& sim) {
  for (unsigned left = 5 + sim.dice.below(60); left > 0; --left) sim.ask_step(sim.popular_token());
}
void workers_report(Simulation& sim) {
  const bool made_up = sim.dice.percent(20);
  for (unsigned left = 1 + sim.dice.below(6); left > 0; --left)
    sim.report(made_up ? sim.new_token(TokenKind::kJunk) : sim.popular_token());
}
void junk_flood(Simulation& sim) {
  for (unsigned left = 5 + sim.dice.below(100); left > 0; --left) {
    sim.ask_step(sim.new_token(TokenKind::kJunk));
  }
}
void worker_dies(Simulation& sim) {
  sim.disconnect(1 + sim.dice.below(sim.scenario.connections));
}
void last_asker_dies(Simulation& sim) {
  if (!sim.records.queries.empty()) sim.disconnect(sim.records.queries.back().connection);
}

// ---- store --------------------------------------------------------------------------------------

void store_finds_nothing(Simulation& sim) {
  sim.cache.failing_finds = 1 + sim.dice.below(4);
}
void store_takes_nothing(Simulation& sim) {
  sim.cache.failing_puts = 1 + sim.dice.below(4);
}
void store_erases_nothing(Simulation& sim) {
  sim.cache.failing_erases = 1 + sim.dice.below(4);
}
void audit_takes_nothing(Simulation& sim) {
  sim.audit.failing = 1 + sim.dice.below(4);
}
void audit_commit_fails(Simulation& sim) {
  sim.audit.failing_commits = 1 + sim.dice.below(3);
}

void tick_for_nothing(Simulation& sim) {
  sim.service->tick();
}

// Actions that make steps themselves come last.
constexpr auto kActions = std::to_array<Action>({
    {"outage", 8, outage},
    {"new instance of the Auth API", 4, new_instance},
    {"token becomes invalid", 10, token_ends},
    {"tokens become valid again", 3, token_is_good_again},
    {"token breaks the Auth API", 3, token_breaks_the_auth_api},
    {"role changes", 5, role_changes},
    {"login", 8, login},
    {"wall clock steps forward", 2, wall_clock_goes_forward},
    {"wall clock steps back", 2, wall_clock_goes_back},
    {"suspend", 1, suspend},
    {"crash", 2, crash},
    {"stop and start", 2, stop_and_start},
    {"purge", 6, purge},
    {"revoke", 6, revoke},
    {"unrevoke", 4, unrevoke},
    {"older revocations are restored", 1, older_revocations},
    {"host is not current", 1, host_is_not_current},
    {"rules cannot be written", 1, rules_cannot_be_written},
    {"worker dies", 6, worker_dies},
    {"last client dies", 4, last_asker_dies},
    {"store lookups fail", 2, store_finds_nothing},
    {"store puts fail", 2, store_takes_nothing},
    {"store erasures fail", 1, store_erases_nothing},
    {"audit records are rejected", 1, audit_takes_nothing},
    {"workers report", 8, workers_report},
    {"audit commits fail", 2, audit_commit_fails},
    {"extra tick", 2, tick_for_nothing},
    {"many queries for one token", 3, everybody_asks_for_one},
    {"many queries", 3, everybody_asks},
    {"flood of unknown tokens", 3, junk_flood},
});
constexpr std::size_t kWithSteps = 3;  // number of actions at the end that make steps themselves
static_assert(kActions.size() <= Coverage::kMaxActions);

}  // namespace

std::span<const Action> actions() {
  return kActions;
}

void something_happens(Simulation& sim) {
  static constexpr unsigned kTotal = [] {
    unsigned total = 0;
    for (const Action& action : kActions) total += action.weight;
    return total;
  }();
  unsigned drawn = sim.dice.below(kTotal);
  std::size_t place = 0;
  while (drawn >= kActions[place].weight) drawn -= kActions[place++].weight;
  ++sim.coverage.actions[place];
  const Action& action = kActions[place];
  if (place + kWithSteps >= kActions.size()) return action.act(sim);
  sim.step(action.name, [&] { action.act(sim); });
}

}  // namespace claimsd::sim
