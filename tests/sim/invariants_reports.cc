// Invariants of reports and their receipts.
#include <fmt/core.h>

#include "tests/sim/invariants.h"

namespace claimsd::sim {

using namespace claims;
using proto::Reason;

namespace {

std::string check_receipt(const Facts& facts, const ReportRecord& report) {
  if (*report.receipt == Reason::kOk) {
    if (!facts.policy.audit.failures) return "acknowledged as recorded without an audit log";
    return report.durable ? "" : "acknowledged as recorded before it was";
  }
  if (*report.receipt != Reason::kNotRecorded) {
    return fmt::format("a receipt with reason {}", proto::name_of(*report.receipt));
  }
  const bool late = facts.now().boot >= report.deadline;
  const bool has_cause = !facts.policy.audit.failures || report.failed || late;
  return has_cause ? "" : "acknowledged as not recorded, although it was";
}

}  // namespace

std::string check_reported(const Facts& facts) {
  for (const ReportNumber number : facts.step().receipts) {
    std::string found = check_receipt(facts, facts.records.reports[number]);
    if (!found.empty()) return found;
  }
  if (!facts.step().is_tick) return {};
  for (const ReportRecord& report : facts.records.reports) {
    if (!report.receipt && !report.disconnected && facts.now().boot > report.deadline)
      return "a report without a receipt after its deadline";
  }
  return {};
}

std::string check_reported_user(const Facts& facts) {
  for (const ReportNumber number : facts.step().reported) {
    const ReportRecord& report = facts.records.reports[number];
    const TokenRecord& token = facts.records.token(report.token);
    if (report.aggregated) continue;
    if (report.claimed ? report.user != kClaimedUser
                       : report.user != fmt::format("user-{}", token.user)) {
      return "a report for another user";
    }
    if (!report.claimed && token.confirmations.empty())
      return "a report for a user without a confirmation";
    if (report.claimed && report.in_store)
      return "the worker's claim was used although the user is known";
  }
  return {};
}

std::string check_report_rate(const Facts& facts) {
  const ReportPolicy& policy = facts.policy.reports;
  for (const ReportNumber number : facts.step().reported) {
    const ReportRecord& report = facts.records.reports[number];
    if (!report.aggregated) continue;
    if (policy.per_uid.per_second == 0) return "aggregated without a rate limit";
    if (facts.records.uids[report.uid].reports <= policy.per_uid.burst)
      return "aggregated below the burst";
  }
  return {};
}

}  // namespace claimsd::sim
