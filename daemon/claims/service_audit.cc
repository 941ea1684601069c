// Answers and leases that must be recorded before they are sent, and their revalidation afterwards.
// Part of ClaimsService (service.h).
#include <algorithm>

#include "daemon/claims/service.h"

namespace claimsd::daemon {

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
  if (valid && !held_.has_room(HeldSubject::size_of(about.token, answer.claims)))
    return withhold(waiter);
  const AuditTicket ticket = held_.next_ticket();
  switch (world_.audit.record({.waiter = waiter,
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
    case AuditVerdict::kDeny: return withhold(waiter);
    case AuditVerdict::kGo:
      reply(waiter, answer);
      if (valid && about.wants_lease) show_lease(about, waiter);
      return;
    case AuditVerdict::kWait: break;
  }
  Held held{.waiter = waiter,
            .uid = about.uid,
            .upstream = about.upstream,
            .answer = answer,
            .deadline = about.deadline,
            .wants_lease = about.wants_lease};
  held.answer.claims = {};
  const BootTime now = world_.clock.now().boot;
  if (held.deadline <= now) held.deadline = now + kLateGrace;
  held.settled_at = now - answer.age;
  if (valid) {
    held.subject = held_.subject(*about.key, about.token, answer.claims);
    held.until = answer.left > Duration(0) ? now + answer.left
                 : answer.source == Source::kStale
                     ? about.stale_until
                     : std::max(held.settled_at + policy_.life.max_ttl, now + kLateGrace);
  }
  held_.hold(ticket, std::move(held));
}

// Records an Auth API verdict without a waiter: all waiters have left, or it was a refresh-ahead.
void ClaimsService::record_unasked(const Flight& flight, const Answer& answer,
                                   const Landing& landing) {
  if (answer.reason != Reason::kOk && answer.reason != Reason::kRefused) return;
  if (!policy_.audit.covers(answer)) return;
  leave_recorded({.uid = flight.uid,
                  .upstream = flight.upstream,
                  .token = landing.token,
                  .key = &flight.key,
                  .deadline = world_.clock.now().boot + policy_.max_timeout,
                  .status = landing.status,
                  .took = landing.took,
                  .wants_lease = landing.wants_lease},
                 kNobody, answer);
}

void ClaimsService::recorded(AuditTicket ticket, bool durable) {
  const std::optional<Held> held = held_.take(ticket);
  if (!held) return;  // it failed already, or its client disconnected
  switch (held->kind) {
    case HeldKind::kLease:
      if (durable) leases_.show(held->upstream, held->subject->token.view(), held->subject->key);
      return;
    case HeldKind::kReport: return acknowledge(held->waiter, durable);
    case HeldKind::kAnswer: break;
  }
  if (!durable) return withhold(held->waiter);
  const Answer answer = decide_again(*held, world_.clock.now());
  if (answer.reason != held->answer.reason) return reverse(*held, answer);
  reply(held->waiter, answer);
  if (answer.reason != Reason::kOk || !held->wants_lease) return;
  show_lease({.uid = held->uid,
              .upstream = held->upstream,
              .token = held->subject->token.view(),
              .key = &held->subject->key},
             held->waiter);
}

// The record did not become durable in time.
void ClaimsService::give_up(const Held& held) {
  switch (held.kind) {
    case HeldKind::kLease: return;
    case HeldKind::kReport: return acknowledge(held.waiter, false);
    case HeldKind::kAnswer: return withhold(held.waiter);
  }
}

// This failure is only counted: the log would not accept a record for it either.
void ClaimsService::withhold(const Waiter& waiter) {
  ++counters_.unrecorded;
  reply(waiter, Answer{.reason = Reason::kNotRecorded});
}

// Revalidates an answer at the time it is sent. An answer that was not valid never becomes valid.
Answer ClaimsService::decide_again(const Held& held, const Now& now) const {
  Answer answer = held.answer;
  const Duration age = now.boot - held.settled_at;
  const Duration waited = age - answer.age;
  if (answer.reason != Reason::kOk) {
    if (answer.age > Duration(0)) answer.age = age;
    answer.left = std::max(answer.left - waited, Duration(0));
    return answer;
  }
  const HeldSubject& subject = *held.subject;
  if (held.refused) return Answer{.reason = Reason::kRefused, .source = Source::kCache};
  if (guard_.denies_token(subject.token.view(), now) ||
      guard_.denies_claims(held.upstream, answer.claims, subject.times.issued_at, now))
    return Answer{
        .reason = Reason::kRevoked,
        .source = answer.source == Source::kUpstream ? Source::kUpstream : Source::kCache};
  if (has_expired(subject.times.expires_at, now, policy_.life))
    return Answer{.reason = Reason::kExpired};
  const bool from_cache = answer.source != Source::kUpstream;
  const bool outlived =
      now.boot >= held.until || (from_cache && subject.times.expires_at != WallTime::max() &&
                                 now.wall >= subject.times.expires_at - policy_.life.clock_skew);
  if (outlived) return Answer{.reason = Reason::kNotRecorded};
  answer.age = age;
  answer.left -= waited;
  // The wall clock may have been set in the meantime.
  if (subject.times.expires_at != WallTime::max())
    answer.left =
        std::min(answer.left, subject.times.expires_at - policy_.life.clock_skew - now.wall);
  answer.left = std::max(answer.left, Duration(0));
  return answer;
}

// Records that a recorded answer is superseded, before the new answer is sent.
void ClaimsService::reverse(const Held& held, const Answer& answer) {
  ++counters_.reversals;
  const AuditTicket ticket = held_.next_ticket();
  switch (world_.audit.record({.kind = AuditedEvent::Kind::kReversal,
                               .waiter = held.waiter,
                               .uid = held.uid,
                               .upstream = held.upstream,
                               .token = held.subject->token.view(),
                               .claims = held.answer.claims,
                               .reason = answer.reason,
                               .source = answer.source},
                              ticket)) {
    case AuditVerdict::kGo: return reply(held.waiter, answer);
    case AuditVerdict::kDeny: return withhold(held.waiter);
    case AuditVerdict::kWait: break;
  }
  held_.hold(ticket, Held{.waiter = held.waiter,
                          .uid = held.uid,
                          .upstream = held.upstream,
                          .answer = answer,
                          .settled_at = world_.clock.now().boot,
                          .deadline = held.deadline});
}

// Publishes a lease after the answer is sent. If leases are recorded, waits until the record is
// durable.
void ClaimsService::show_lease(const About& about, const Waiter& waiter) {
  if (!policy_.audit.leases) return leases_.show(about.upstream, about.token, *about.key);
  if (held_.awaits_lease(*about.key)) return;
  const std::optional<Leases::Due> due = leases_.due(about.upstream, about.token, *about.key);
  if (!due || !held_.has_room(HeldSubject::size_of(about.token, due->entry.claims))) return;
  const Now now = world_.clock.now();
  const AuditTicket ticket = held_.next_ticket();
  const AuditVerdict verdict =
      world_.audit.record({.kind = AuditedEvent::Kind::kLease,
                           .waiter = waiter,
                           .uid = about.uid,
                           .upstream = about.upstream,
                           .token = about.token,
                           .claims = due->entry.claims,
                           .source = Source::kCache,
                           .took = std::max(Duration(0), due->end.lease - now.boot)},
                          ticket);
  if (verdict == AuditVerdict::kGo) leases_.show(about.upstream, about.token, *about.key);
  if (verdict != AuditVerdict::kWait) return;
  held_.hold(ticket, Held{.kind = HeldKind::kLease,
                          .waiter = waiter,
                          .uid = about.uid,
                          .upstream = about.upstream,
                          .subject = held_.subject(*about.key, about.token, due->entry.claims),
                          .settled_at = due->entry.confirmed_at,
                          .deadline = now.boot + policy_.max_timeout});
}

}  // namespace claimsd::daemon
