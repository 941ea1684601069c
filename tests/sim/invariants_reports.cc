// Invariants of reports and their receipts.
#include <fmt/format.h>

#include "tests/sim/invariants.h"

namespace claimsd::sim {

using namespace daemon;
using proto::Reason;

namespace {

std::string check_receipt(const Facts& facts, const ReportRecord& report) {
  if (*report.receipt == Reason::kOk) {
    if (!facts.policy.audit.failures) return "recorded, where no log is kept";
    return report.durable ? "" : "said to be recorded, and is not";
  }
  if (*report.receipt != Reason::kNotRecorded) {
    return fmt::format("a receipt that says {}", proto::name_of(*report.receipt));
  }
  const bool late = facts.now().boot >= report.deadline;
  const bool has_cause = !facts.policy.audit.failures || report.failed || late;
  return has_cause ? "" : "said not to be recorded, though the log took it";
}

}  // namespace

std::string check_reported(const Facts& facts) {
  for (const ReportNumber number : facts.step().receipts) {
    std::string found = check_receipt(facts, facts.records.reports[number]);
    if (!found.empty()) return found;
  }
  if (!facts.step().is_tick) return {};
  for (const ReportRecord& report : facts.records.reports) {
    if (!report.receipt && !report.left && facts.now().boot > report.deadline)
      return "a report without a receipt after its deadline";
  }
  return {};
}

std::string check_reported_user(const Facts& facts) {
  for (const ReportNumber number : facts.step().reported) {
    const ReportRecord& report = facts.records.reports[number];
    const TokenRecord& token = facts.records.token(report.token);
    if (report.brief) continue;
    if (report.claimed ? report.user != kClaimedUser
                       : report.user != fmt::format("user-{}", token.user)) {
      return "a report in the name of somebody else";
    }
    if (!report.claimed && token.confirmations.empty()) return "a user whom nobody confirmed";
    if (report.claimed && report.in_store) return "the worker's word, though the user is known";
  }
  return {};
}

std::string check_report_rate(const Facts& facts) {
  const ReportPolicy& policy = facts.policy.reports;
  for (const ReportNumber number : facts.step().reported) {
    const ReportRecord& report = facts.records.reports[number];
    if (!report.brief) continue;
    if (policy.per_uid.per_second == 0) return "over a rate that there is not";
    if (facts.records.uids[report.uid].reports <= policy.per_uid.burst)
      return "over its rate by fewer reports than one burst has";
  }
  return {};
}

}  // namespace claimsd::sim
