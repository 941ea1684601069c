#include "daemon/claims/service/pending_audit.h"

#include <algorithm>

namespace claimsd::claims {

using proto::Reason;
using proto::Source;
using proto::Verdict;

namespace {

// The time allowed for recording an answer that is already late: a timeout, or a confirmation whose
// TTL had expired on arrival.
constexpr Duration kLateGrace = seconds(1);

}  // namespace

// Every answer is sent from here.
void PendingAudit::send(const Waiter& waiter, const Answer& answer) {
  if (waiter.connection == 0) return;  // no client waits
  Counters& counters = deps_.counters;
  if (answer.reason == Reason::kRevoked) ++counters.revoked_answers;
  if (answer.source == Source::kStale) ++counters.stale_answers;
  const Verdict verdict = proto::verdict_of(answer.reason);
  deps_.lookups.answered(answer.source, verdict);
  switch (verdict) {
    case Verdict::kValid: ++counters.answers_valid; break;
    case Verdict::kInvalid: ++counters.answers_invalid; break;
    case Verdict::kUnavailable: ++counters.answers_unavailable; break;
  }
  deps_.sink.answer(waiter, answer);
}

void PendingAudit::send_recorded(const About& about, const Waiter& waiter, const Answer& answer) {
  const bool valid = answer.reason == Reason::kOk;
  if (valid &&
      !pending_.has_room(PendingSubject::size_of(about.token, answer.claims, answer.document)))
    return fail_unrecorded(waiter);
  const AuditTicket ticket = pending_.next_ticket();
  switch (deps_.audit.record({.waiter = waiter,
                              .uid = about.uid,
                              .upstream = about.upstream,
                              .token = about.token,
                              .claims = answer.claims,
                              .reason = answer.reason,
                              .source = answer.source,
                              .status = about.status,
                              .took = about.took,
                              .origin = about.origin},
                             ticket)) {
    case AuditDecision::kPending: return add(ticket, about, waiter, answer);
    case AuditDecision::kUnavailable: return fail_unrecorded(waiter);
    case AuditDecision::kProceed: break;
  }
  send(waiter, answer);
  if (valid && about.wants_lease) publish_lease(about, waiter);
}

void PendingAudit::add(AuditTicket ticket, const About& about, const Waiter& waiter,
                       const Answer& answer) {
  PendingAnswer pending{.waiter = waiter,
                        .uid = about.uid,
                        .upstream = about.upstream,
                        .answer = answer,
                        .deadline = about.deadline,
                        .wants_lease = about.wants_lease};
  pending.answer.claims = {};
  pending.answer.document = {};
  const BootTime now = deps_.clock.now().boot;
  if (pending.deadline <= now) pending.deadline = now + kLateGrace;
  pending.settled_at = now - answer.age;
  if (answer.reason == Reason::kOk) {
    pending.subject = pending_.subject(*about.key, about.token, answer.claims, answer.document);
    pending.until = answer.ttl_remaining > Duration(0) ? now + answer.ttl_remaining
                    : answer.source == Source::kStale
                        ? about.stale_until
                        : std::max(pending.settled_at + deps_.policy.ttl.max_ttl, now + kLateGrace);
  }
  pending_.add(ticket, std::move(pending));
}

void PendingAudit::recorded(AuditTicket ticket, bool durable) {
  const std::optional<PendingAnswer> pending = pending_.take(ticket);
  if (!pending) return;  // it failed already, or its client disconnected
  switch (pending->kind) {
    case PendingKind::kLease:
      if (durable)
        deps_.leases.publish(pending->upstream, pending->subject->token.view(),
                             pending->subject->key);
      return;
    case PendingKind::kReport: return acknowledge(pending->waiter, durable);
    case PendingKind::kAnswer: break;
  }
  if (!durable) return fail_unrecorded(pending->waiter);
  const Answer answer = revalidate(*pending, deps_.clock.now());
  if (answer.reason != pending->answer.reason) return supersede(*pending, answer);
  send(pending->waiter, answer);
  if (answer.reason != Reason::kOk || !pending->wants_lease) return;
  publish_lease({.uid = pending->uid,
                 .upstream = pending->upstream,
                 .token = pending->subject->token.view(),
                 .key = &pending->subject->key},
                pending->waiter);
}

// Revalidates an answer at the time it is sent. An answer that was not valid never becomes valid.
Answer PendingAudit::revalidate(const PendingAnswer& pending, const Now& now) const {
  const TtlPolicy& policy = deps_.policy.ttl;
  Answer answer = pending.answer;
  const Duration age = now.boot - pending.settled_at;
  const Duration waited = age - answer.age;
  if (answer.reason != Reason::kOk) {
    if (answer.age > Duration(0)) answer.age = age;
    answer.ttl_remaining = std::max(answer.ttl_remaining - waited, Duration(0));
    return answer;
  }
  const PendingSubject& subject = *pending.subject;
  if (!deps_.guard.is_complete()) return Answer{.reason = Reason::kNotCurrent};
  if (pending.rejected) return Answer{.reason = Reason::kRejected, .source = Source::kCache};
  if (deps_.guard.invalidates_token(subject.token.view(), now) ||
      deps_.guard.invalidates_claims(pending.upstream, answer.claims,
                                     subject.times.proven_issued_at(), now))
    return Answer{
        .reason = Reason::kRevoked,
        .source = answer.source == Source::kUpstream ? Source::kUpstream : Source::kCache};
  if (has_expired(subject.times.rejected_after(), now, policy))
    return Answer{.reason = Reason::kExpired};
  const bool from_cache = answer.source != Source::kUpstream;
  const bool outlived =
      now.boot >= pending.until || (from_cache && subject.times.expires_at != WallTime::max() &&
                                    now.wall >= subject.times.expires_at - policy.clock_skew);
  if (outlived) return Answer{.reason = Reason::kNotRecorded};
  answer.age = age;
  answer.ttl_remaining -= waited;
  // The wall clock may have been set in the meantime.
  if (subject.times.expires_at != WallTime::max())
    answer.ttl_remaining =
        std::min(answer.ttl_remaining, subject.times.expires_at - policy.clock_skew - now.wall);
  answer.ttl_remaining = std::max(answer.ttl_remaining, Duration(0));
  return answer;
}

// Records that a recorded answer is superseded, before the new answer is sent.
void PendingAudit::supersede(const PendingAnswer& pending, const Answer& answer) {
  ++deps_.counters.superseded_answers;
  const AuditTicket ticket = pending_.next_ticket();
  switch (deps_.audit.record({.kind = AuditedEvent::Kind::kSupersession,
                              .waiter = pending.waiter,
                              .uid = pending.uid,
                              .upstream = pending.upstream,
                              .token = pending.subject->token.view(),
                              .claims = pending.answer.claims,
                              .reason = answer.reason,
                              .source = answer.source},
                             ticket)) {
    case AuditDecision::kProceed: return send(pending.waiter, answer);
    case AuditDecision::kUnavailable: return fail_unrecorded(pending.waiter);
    case AuditDecision::kPending: break;
  }
  pending_.add(ticket, PendingAnswer{.waiter = pending.waiter,
                                     .uid = pending.uid,
                                     .upstream = pending.upstream,
                                     .answer = answer,
                                     .settled_at = deps_.clock.now().boot,
                                     .deadline = pending.deadline});
}

void PendingAudit::publish_lease(const About& about, const Waiter& waiter) {
  if (!deps_.policy.audit.leases)
    return deps_.leases.publish(about.upstream, about.token, *about.key);
  if (pending_.awaits_lease(*about.key)) return;
  const std::optional<Leases::Due> due = deps_.leases.due(about.upstream, about.token, *about.key);
  if (!due || !pending_.has_room(PendingSubject::size_of(about.token, due->entry.claims))) return;
  const Now now = deps_.clock.now();
  const AuditTicket ticket = pending_.next_ticket();
  const AuditDecision decision =
      deps_.audit.record({.kind = AuditedEvent::Kind::kLease,
                          .waiter = waiter,
                          .uid = about.uid,
                          .upstream = about.upstream,
                          .token = about.token,
                          .claims = due->entry.claims,
                          .source = Source::kCache,
                          .took = std::max(Duration(0), due->end.lease - now.boot)},
                         ticket);
  if (decision == AuditDecision::kProceed)
    deps_.leases.publish(about.upstream, about.token, *about.key);
  if (decision != AuditDecision::kPending) return;
  pending_.add(
      ticket, PendingAnswer{.kind = PendingKind::kLease,
                            .waiter = waiter,
                            .uid = about.uid,
                            .upstream = about.upstream,
                            .subject = pending_.subject(*about.key, about.token, due->entry.claims),
                            .settled_at = due->entry.confirmed_at,
                            .deadline = now.boot + deps_.policy.max_timeout});
}

void PendingAudit::record_report(const AuditedEvent& event, std::uint32_t lost, BootTime deadline) {
  const AuditTicket ticket = pending_.next_ticket();
  const AuditDecision decision = deps_.audit.record(event, ticket);
  // Recorded only with an accepted report: after a failed one, the worker sends the count again.
  if (decision != AuditDecision::kUnavailable && lost > 0) {
    deps_.counters.reports_lost += lost;
    deps_.audit.record({.kind = AuditedEvent::Kind::kLost,
                        .waiter = event.waiter,
                        .uid = event.uid,
                        .upstream = event.upstream,
                        .count = lost},
                       0);
  }
  if (decision != AuditDecision::kPending)
    return acknowledge(event.waiter, decision == AuditDecision::kProceed);
  pending_.add(ticket, PendingAnswer{.kind = PendingKind::kReport,
                                     .waiter = event.waiter,
                                     .uid = event.uid,
                                     .upstream = event.upstream,
                                     .deadline = deadline});
}

void PendingAudit::acknowledge(const Waiter& waiter, bool recorded) {
  if (!recorded) ++deps_.counters.reports_unrecorded;
  deps_.sink.receipt(waiter, recorded ? Reason::kOk : Reason::kNotRecorded);
}

void PendingAudit::expire(BootTime now) {
  for (const PendingAnswer& pending : pending_.take_overdue(now)) {
    switch (pending.kind) {
      case PendingKind::kLease: break;
      case PendingKind::kReport: acknowledge(pending.waiter, false); break;
      case PendingKind::kAnswer: fail_unrecorded(pending.waiter); break;
    }
  }
}

// This failure is only counted: the log would not accept a record for it either.
void PendingAudit::fail_unrecorded(const Waiter& waiter) {
  ++deps_.counters.unrecorded;
  send(waiter, Answer{.reason = Reason::kNotRecorded});
}

}  // namespace claimsd::claims
