// Reports by workers of requests that they denied. Part of ClaimsService (service.h).
#include <string>

#include "daemon/claims/parse/trace_id.h"
#include "daemon/claims/service.h"
#include "proto/claims_block.h"

namespace claimsd::claims {

using proto::Reason;

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

}  // namespace

bool ClaimsService::report(const Report& report, const Waiter& waiter) {
  ++counters_.reports;
  if (!policy_.audit.failures) {
    acknowledge(waiter, false);
    return true;
  }
  const Now now = deps_.clock.now();
  const std::string confirmed = confirmed_user(report.upstream, report.token);
  const std::string_view claimed =
      confirmed.empty() ? loggable_user(report.token, report.user) : "";
  const bool aggregated = !within_rate(report.uid, !confirmed.empty(), now);
  if (aggregated) ++counters_.reports_aggregated;
  const AuditTicket ticket = pending_answers_.next_ticket();
  const AuditDecision verdict =
      deps_.audit.record({.kind = AuditedEvent::Kind::kReport,
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
                         ticket);
  if (verdict != AuditDecision::kUnavailable && report.unacknowledged > 0)
    record_lost(report, waiter);
  if (verdict == AuditDecision::kPending) {
    pending_answers_.add(ticket, PendingAnswer{.kind = PendingKind::kReport,
                                               .waiter = waiter,
                                               .uid = report.uid,
                                               .upstream = report.upstream,
                                               .deadline = deadline_after(report.timeout, now)});
  } else {
    acknowledge(waiter, verdict == AuditDecision::kProceed);
  }
  return !aggregated;
}

// The user for whom the Auth API confirmed the token, if still cached. The worker's claim is not
// used.
std::string ClaimsService::confirmed_user(UpstreamId upstream, std::string_view token) {
  if (token.empty()) return {};
  const TokenKey key = deps_.keyer.key_of(upstream, token);
  if (!sieve_.holds(key)) return {};
  const std::optional<Entry> entry = deps_.cache.find(key);
  proto::ClaimsView claims;
  if (!entry || !proto::decode_claims(entry->claims, claims)) return {};
  return std::string(claims.id);
}

bool ClaimsService::within_rate(std::uint32_t uid, bool known, const Now& now) {
  if (reports_.unlimited()) return true;
  TokenBucket& bucket = reports_.of(std::uint64_t{uid} << 1U | (known ? 1U : 0U), now.boot);
  if (!bucket.has(0)) return false;
  bucket.take();
  return true;
}

// Recorded only with an accepted report: after a failed one, the worker sends the count again.
void ClaimsService::record_lost(const Report& report, const Waiter& waiter) {
  counters_.reports_lost += report.unacknowledged;
  deps_.audit.record({.kind = AuditedEvent::Kind::kLost,
                      .waiter = waiter,
                      .uid = report.uid,
                      .upstream = report.upstream,
                      .count = report.unacknowledged},
                     0);
}

void ClaimsService::acknowledge(const Waiter& waiter, bool recorded) {
  if (!recorded) ++counters_.reports_unrecorded;
  deps_.sink.receipt(waiter, recorded ? Reason::kOk : Reason::kNotRecorded);
}

}  // namespace claimsd::claims
