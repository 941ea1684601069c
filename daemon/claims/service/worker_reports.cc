#include "daemon/claims/service/worker_reports.h"

#include "daemon/claims/parse/trace_id.h"
#include "proto/claims_block.h"

namespace claimsd::claims {
namespace {

// Shorter matches, such as "GET", are considered coincidence; longer ones may reveal part of the
// token.
constexpr std::size_t kTellingSize = 8;

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// A user id may be part of its token, but must not contain the token.
std::string_view loggable_user(std::string_view token, std::string_view user) {
  return !token.empty() && holds(user, token) ? std::string_view() : user;
}

// No token is ever logged, nor a fragment of one left by truncation.
std::string_view without(std::string_view token, std::string_view text) {
  const bool tells = text.size() >= kTellingSize && holds(token, text);
  return tells ? std::string_view() : loggable_user(token, text);
}

Origin loggable_origin(const Report& report) {
  return {.client_address = without(report.token, report.origin.client_address),
          .trace_id = loggable_trace_id(report.origin.trace_id, report.token),
          .route = without(report.token, report.origin.route)};
}

TokenBuckets<std::uint64_t> rates_of(const ReportPolicy& policy) {
  return {policy.per_uid, policy.max_uids};
}

}  // namespace

WorkerReports::WorkerReports(Dependencies deps)
    : deps_(deps), rates_(rates_of(deps_.policy.reports)) {}

bool WorkerReports::record(const Report& report, const Waiter& waiter) {
  ++deps_.counters.reports;
  if (!deps_.policy.audit.failures) {
    deps_.audit.acknowledge(waiter, false);
    return true;
  }
  const Now now = deps_.clock.now();
  const std::string confirmed = confirmed_user(report.upstream, report.token);
  const std::string_view claimed =
      confirmed.empty() ? loggable_user(report.token, report.user) : "";
  const bool aggregated = !within_rate(report.uid, !confirmed.empty(), now);
  if (aggregated) ++deps_.counters.reports_aggregated;
  deps_.audit.record_report({.kind = AuditedEvent::Kind::kReport,
                             .waiter = waiter,
                             .uid = report.uid,
                             .upstream = report.upstream,
                             .token = report.token,
                             .reason = report.reason,
                             .status = report.status,
                             .origin = loggable_origin(report),
                             .user = confirmed.empty() ? claimed : confirmed,
                             .user_is_claimed = !claimed.empty(),
                             .method = without(report.token, report.method),
                             .required = without(report.token, report.required),
                             .aggregated = aggregated},
                            report.unacknowledged,
                            deps_.policy.deadline_after(report.timeout, now.boot));
  return !aggregated;
}

std::string WorkerReports::confirmed_user(UpstreamId upstream, std::string_view token) {
  if (token.empty()) return {};
  const std::optional<Entry> entry = deps_.cache.peek(deps_.keyer.key_of(upstream, token));
  proto::ClaimsView claims;
  if (!entry || !proto::decode_claims(entry->claims, claims)) return {};
  return std::string(claims.id);
}

bool WorkerReports::within_rate(std::uint32_t uid, bool known, const Now& now) {
  if (rates_.unlimited()) return true;
  TokenBucket& bucket = rates_.of(std::uint64_t{uid} << 1U | (known ? 1U : 0U), now.boot);
  if (!bucket.has(0)) return false;
  bucket.take();
  return true;
}

void WorkerReports::policy_changed(const Policy& before) {
  if (deps_.policy.reports != before.reports) rates_ = rates_of(deps_.policy.reports);
}

}  // namespace claimsd::claims
