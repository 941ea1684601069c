// Simulated workers that report the requests that they denied.
#include <fmt/core.h>

#include "tests/sim/simulation.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

void Simulation::report(TokenNumber about) {
  const TokenRecord& token = records.token(about);
  ReportRecord made;
  made.token = about;
  made.connection = 1 + dice.below(scenario.connections);
  made.uid = static_cast<std::uint32_t>(made.connection % scenario.uids);
  made.unacknowledged = dice.percent(20) ? dice.below(4) : 0;
  const Duration timeout = dice.percent(50) ? dice.between(1ms, 10s) : Duration(0);
  const Duration longest = scenario.policy.max_timeout;
  made.deadline =
      clock.now().boot + (timeout <= Duration(0) || timeout > longest ? longest : timeout);
  made.in_store = token.kept.present && !token.kept.disowned && cache.failing_finds == 0;
  const auto number = static_cast<ReportNumber>(records.reports.size());
  records.reports.push_back(made);
  ++records.uids[made.uid].reports;
  trace.note({steps_, clock.now(), "report", "", about, number});
  service->report(Report{.upstream = token.upstream,
                         .uid = made.uid,
                         .timeout = timeout,
                         .status = 403,
                         .token = token.text,
                         .user = kClaimedUser,
                         .unacknowledged = made.unacknowledged},
                  Waiter{made.connection, number});
}

// Marks the reports of a closed connection as abandoned; 0: of all connections.
void Simulation::forget_reports(std::uint64_t connection) {
  for (ReportRecord& report : records.reports) {
    if (connection == 0 || report.connection == connection) report.disconnected = true;
  }
}

}  // namespace claimsd::sim
