// Answers and leases that must be recorded before they are sent, and their revalidation afterwards.
// Part of ClaimsService (service.h).
#include <algorithm>

#include "daemon/claims/service.h"

namespace claimsd::claims {

using proto::Reason;
using proto::Source;

namespace {

constexpr Waiter kNobody{};

// Time to record an answer that is already late: a timeout, or a confirmation whose TTL had expired
// on arrival.
constexpr Duration kLateGrace = seconds(1);

}  // namespace

void ClaimsService::leave_recorded(const About& about, const Waiter& waiter, const Answer& answer) {
  const bool valid = answer.reason == Reason::kOk;
  if (valid && !pending_answers_.has_room(PendingSubject::size_of(about.token, answer.claims)))
    return fail_unrecorded(waiter);
  const AuditTicket ticket = pending_answers_.next_ticket();
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
    case AuditDecision::kUnavailable: return fail_unrecorded(waiter);
    case AuditDecision::kProceed:
      reply(waiter, answer);
      if (valid && about.wants_lease) publish_lease(about, waiter);
      return;
    case AuditDecision::kPending: break;
  }
  PendingAnswer pending{.waiter = waiter,
                        .uid = about.uid,
                        .upstream = about.upstream,
                        .answer = answer,
                        .deadline = about.deadline,
                        .wants_lease = about.wants_lease};
  pending.answer.claims = {};
  const BootTime now = deps_.clock.now().boot;
  if (pending.deadline <= now) pending.deadline = now + kLateGrace;
  pending.settled_at = now - answer.age;
  if (valid) {
    pending.subject = pending_answers_.subject(*about.key, about.token, answer.claims);
    pending.until = answer.ttl_remaining > Duration(0) ? now + answer.ttl_remaining
                    : answer.source == Source::kStale
                        ? about.stale_until
                        : std::max(pending.settled_at + policy_.ttl.max_ttl, now + kLateGrace);
  }
  pending_answers_.add(ticket, std::move(pending));
}

// Records an Auth API verdict without a waiter: all waiters have left, or it was a refresh-ahead.
void ClaimsService::record_unasked(const Flight& flight, const Answer& answer,
                                   const Completion& completion) {
  if (answer.reason != Reason::kOk && answer.reason != Reason::kRejected) return;
  if (!policy_.audit.covers(answer)) return;
  leave_recorded({.uid = flight.uid,
                  .upstream = flight.upstream,
                  .token = completion.token,
                  .key = &flight.key,
                  .deadline = deps_.clock.now().boot + policy_.max_timeout,
                  .status = completion.status,
                  .took = completion.took,
                  .wants_lease = completion.wants_lease},
                 kNobody, answer);
}

void ClaimsService::recorded(AuditTicket ticket, bool durable) {
  const std::optional<PendingAnswer> pending = pending_answers_.take(ticket);
  if (!pending) return;  // it failed already, or its client disconnected
  switch (pending->kind) {
    case PendingKind::kLease:
      if (durable)
        leases_.publish(pending->upstream, pending->subject->token.view(), pending->subject->key);
      return;
    case PendingKind::kReport: return acknowledge(pending->waiter, durable);
    case PendingKind::kAnswer: break;
  }
  if (!durable) return fail_unrecorded(pending->waiter);
  const Answer answer = revalidate(*pending, deps_.clock.now());
  if (answer.reason != pending->answer.reason) return supersede(*pending, answer);
  reply(pending->waiter, answer);
  if (answer.reason != Reason::kOk || !pending->wants_lease) return;
  publish_lease({.uid = pending->uid,
                 .upstream = pending->upstream,
                 .token = pending->subject->token.view(),
                 .key = &pending->subject->key},
                pending->waiter);
}

// The record did not become durable in time.
void ClaimsService::give_up(const PendingAnswer& pending) {
  switch (pending.kind) {
    case PendingKind::kLease: return;
    case PendingKind::kReport: return acknowledge(pending.waiter, false);
    case PendingKind::kAnswer: return fail_unrecorded(pending.waiter);
  }
}

// This failure is only counted: the log would not accept a record for it either.
void ClaimsService::fail_unrecorded(const Waiter& waiter) {
  ++counters_.unrecorded;
  reply(waiter, Answer{.reason = Reason::kNotRecorded});
}

// Revalidates an answer at the time it is sent. An answer that was not valid never becomes valid.
Answer ClaimsService::revalidate(const PendingAnswer& pending, const Now& now) const {
  Answer answer = pending.answer;
  const Duration age = now.boot - pending.settled_at;
  const Duration waited = age - answer.age;
  if (answer.reason != Reason::kOk) {
    if (answer.age > Duration(0)) answer.age = age;
    answer.ttl_remaining = std::max(answer.ttl_remaining - waited, Duration(0));
    return answer;
  }
  const PendingSubject& subject = *pending.subject;
  if (pending.rejected) return Answer{.reason = Reason::kRejected, .source = Source::kCache};
  if (guard_.invalidates_token(subject.token.view(), now) ||
      guard_.invalidates_claims(pending.upstream, answer.claims, subject.times.issued_at, now))
    return Answer{
        .reason = Reason::kRevoked,
        .source = answer.source == Source::kUpstream ? Source::kUpstream : Source::kCache};
  if (has_expired(subject.times.expires_at, now, policy_.ttl))
    return Answer{.reason = Reason::kExpired};
  const bool from_cache = answer.source != Source::kUpstream;
  const bool outlived =
      now.boot >= pending.until || (from_cache && subject.times.expires_at != WallTime::max() &&
                                    now.wall >= subject.times.expires_at - policy_.ttl.clock_skew);
  if (outlived) return Answer{.reason = Reason::kNotRecorded};
  answer.age = age;
  answer.ttl_remaining -= waited;
  // The wall clock may have been set in the meantime.
  if (subject.times.expires_at != WallTime::max())
    answer.ttl_remaining = std::min(answer.ttl_remaining,
                                    subject.times.expires_at - policy_.ttl.clock_skew - now.wall);
  answer.ttl_remaining = std::max(answer.ttl_remaining, Duration(0));
  return answer;
}

// Records that a recorded answer is superseded, before the new answer is sent.
void ClaimsService::supersede(const PendingAnswer& pending, const Answer& answer) {
  ++counters_.superseded_answers;
  const AuditTicket ticket = pending_answers_.next_ticket();
  switch (deps_.audit.record({.kind = AuditedEvent::Kind::kSupersession,
                              .waiter = pending.waiter,
                              .uid = pending.uid,
                              .upstream = pending.upstream,
                              .token = pending.subject->token.view(),
                              .claims = pending.answer.claims,
                              .reason = answer.reason,
                              .source = answer.source},
                             ticket)) {
    case AuditDecision::kProceed: return reply(pending.waiter, answer);
    case AuditDecision::kUnavailable: return fail_unrecorded(pending.waiter);
    case AuditDecision::kPending: break;
  }
  pending_answers_.add(ticket, PendingAnswer{.waiter = pending.waiter,
                                             .uid = pending.uid,
                                             .upstream = pending.upstream,
                                             .answer = answer,
                                             .settled_at = deps_.clock.now().boot,
                                             .deadline = pending.deadline});
}

// Publishes a lease after the answer is sent. If leases are recorded, waits until the record is
// durable.
void ClaimsService::publish_lease(const About& about, const Waiter& waiter) {
  if (!policy_.audit.leases) return leases_.publish(about.upstream, about.token, *about.key);
  if (pending_answers_.awaits_lease(*about.key)) return;
  const std::optional<Leases::Due> due = leases_.due(about.upstream, about.token, *about.key);
  if (!due || !pending_answers_.has_room(PendingSubject::size_of(about.token, due->entry.claims)))
    return;
  const Now now = deps_.clock.now();
  const AuditTicket ticket = pending_answers_.next_ticket();
  const AuditDecision verdict =
      deps_.audit.record({.kind = AuditedEvent::Kind::kLease,
                          .waiter = waiter,
                          .uid = about.uid,
                          .upstream = about.upstream,
                          .token = about.token,
                          .claims = due->entry.claims,
                          .source = Source::kCache,
                          .took = std::max(Duration(0), due->end.lease - now.boot)},
                         ticket);
  if (verdict == AuditDecision::kProceed) leases_.publish(about.upstream, about.token, *about.key);
  if (verdict != AuditDecision::kPending) return;
  pending_answers_.add(ticket, PendingAnswer{.kind = PendingKind::kLease,
                                             .waiter = waiter,
                                             .uid = about.uid,
                                             .upstream = about.upstream,
                                             .subject = pending_answers_.subject(
                                                 *about.key, about.token, due->entry.claims),
                                             .settled_at = due->entry.confirmed_at,
                                             .deadline = now.boot + policy_.max_timeout});
}

}  // namespace claimsd::claims
