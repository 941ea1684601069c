#include "daemon/audit/answer_record.h"

#include <fmt/core.h>

#include "proto/claims_block.h"

namespace claimsd::audit {
namespace {

using proto::Reason;
using proto::Source;
using proto::Verdict;

void append(std::string& detail, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!detail.empty()) detail += ' ';
  detail += fmt::format("{}={}", name, value);
}

std::string user_of(std::string_view claims) {
  proto::ClaimsView view;
  return !claims.empty() && proto::decode_claims(claims, view) ? std::string(view.id)
                                                               : std::string();
}

// The event for a status that a worker returned.
Event audit_event_of(int status) {
  if (status == 401) return Event::kUnauthenticated;
  return status >= 500 ? Event::kReportedUnavailable : Event::kDenied;
}

// A report has no verdict if a permission was denied or the request had no token.
bool has_verdict(const claims::AuditedEvent& event) {
  switch (event.kind) {
    case claims::AuditedEvent::Kind::kAnswer:
    case claims::AuditedEvent::Kind::kSupersession: return true;
    case claims::AuditedEvent::Kind::kReport: return event.reason != Reason::kOk;
    case claims::AuditedEvent::Kind::kLease:
    case claims::AuditedEvent::Kind::kLost: break;
  }
  return false;
}

}  // namespace

Event audit_event_of(const claims::AuditedEvent& event) {
  if (event.kind == claims::AuditedEvent::Kind::kSupersession) return Event::kSuperseded;
  if (event.kind == claims::AuditedEvent::Kind::kLease) return Event::kLeased;
  if (event.kind == claims::AuditedEvent::Kind::kReport) return audit_event_of(event.status);
  if (event.kind == claims::AuditedEvent::Kind::kLost) return Event::kUnacknowledged;
  const bool asked = event.source == Source::kUpstream;
  switch (proto::verdict_of(event.reason)) {
    case Verdict::kValid: return asked ? Event::kVerified : Event::kHit;
    case Verdict::kInvalid:
      return asked && (event.reason == Reason::kRejected || event.reason == Reason::kClaimMismatch)
                 ? Event::kRejected
                 : Event::kRejectedLocally;
    case Verdict::kUnavailable: break;
  }
  return proto::exceeds_rate_limit(event.reason) ? Event::kRejectedLocally : Event::kUnavailable;
}

Record audit_record_of(const claims::AuditedEvent& event, const Now& now) {
  Record record;
  record.event = audit_event_of(event);
  record.at = now;
  record.last = now.wall;
  record.duration = event.took;
  record.source = event.source;
  record.reason = event.reason;
  record.status = static_cast<std::uint16_t>(event.status);
  record.count = event.count;
  record.various = event.aggregated;
  if (has_verdict(event))
    record.verdict = static_cast<std::uint8_t>(proto::verdict_of(event.reason));
  if (event.aggregated) return record;
  record.user = event.user.empty() ? user_of(event.claims) : std::string(event.user);
  record.method = event.method;
  record.route = event.origin.route;
  record.roles = event.required;
  if (event.user_is_claimed) append(record.detail, "user_from", "client");
  append(record.detail, "client", event.origin.client_address);
  append(record.detail, "trace", event.origin.trace_id);
  return record;
}

}  // namespace claimsd::audit
