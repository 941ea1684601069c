#include "daemon/audit/answer_record.h"

#include <fmt/format.h>

#include "proto/claims_block.h"

namespace claimsd::daemon {
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

}  // namespace

AuditEvent audit_event_of(const AuditedEvent& event) {
  if (event.kind == AuditedEvent::Kind::kReversal) return AuditEvent::kReversed;
  if (event.kind == AuditedEvent::Kind::kLease) return AuditEvent::kLeased;
  const bool asked = event.source == Source::kUpstream;
  switch (proto::verdict_of(event.reason)) {
    case Verdict::kValid: return asked ? AuditEvent::kVerified : AuditEvent::kHit;
    case Verdict::kInvalid:
      return asked && event.reason == Reason::kRefused ? AuditEvent::kRefused
                                                       : AuditEvent::kRefusedLocally;
    case Verdict::kUnavailable: break;
  }
  return event.reason == Reason::kOverBudget ? AuditEvent::kRefusedLocally
                                             : AuditEvent::kUnavailable;
}

AuditRecord audit_record_of(const AuditedEvent& event, const Now& now) {
  AuditRecord record;
  record.event = audit_event_of(event);
  record.at = now;
  record.last = now.wall;
  record.duration = event.took;
  record.source = event.source;
  record.reason = event.reason;
  record.status = static_cast<std::uint16_t>(event.status);
  if (event.kind != AuditedEvent::Kind::kLease)
    record.verdict = static_cast<std::uint8_t>(proto::verdict_of(event.reason));
  record.user = user_of(event.claims);
  record.route = event.origin.route;
  append(record.detail, "client", event.origin.client_address);
  append(record.detail, "trace", event.origin.trace_id);
  return record;
}

}  // namespace claimsd::daemon
