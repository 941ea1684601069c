// SimAuditSink (ports.h): a slow or failing audit log for answers, leases and reports.
#include <algorithm>
#include <utility>

#include "tests/sim/ports.h"

namespace claimsd::sim {

using namespace claims;
using namespace std::chrono_literals;

// When a valid answer decided now expires.
HeldRecord SimAuditSink::held_record(const AuditedEvent& event) const {
  HeldRecord held;
  held.step = records_.step.number;
  held.source = event.source;
  held.completed = records_.step.completed;
  if (event.reason != proto::Reason::kOk) return held;
  const TokenRecord& token = records_.token(records_.queries[event.waiter.request].token);
  const Now now = clock_.now();
  const Entry& kept = token.kept.entry;
  if (event.source == proto::Source::kUpstream) {
    held.confirmed_at = token.confirmations.back().started.boot;
    const bool is_kept = token.kept.present && kept.confirmed_at == held.confirmed_at;
    held.end = held.confirmed_at + ttl_.max_ttl;
    // A confirmation whose TTL has expired still answers its waiters for one second.
    if (is_kept) {
      held.earliest_end = held.end = std::min(held.end, kept.fresh_until);
    } else {
      const Confirmation& by = token.confirmations.back();
      const bool lives = !by.no_store && by.started.boot + by.ttl > now.boot;
      held.end = std::max(held.end, now.boot + 1s);
      held.earliest_end = lives ? now.boot : held.end;
    }
  } else {
    held.confirmed_at = kept.confirmed_at;
    const bool stale = event.source == proto::Source::kStale;
    const Duration more = stale ? ttl_.stale_if_error : Duration(0);
    held.end = std::min(held.confirmed_at + ttl_.max_ttl, kept.fresh_until) + more;
    held.earliest_end = held.end;
  }
  if (token.expires_at != WallTime::max()) {
    const Duration left = token.expires_at - ttl_.clock_skew - now.wall;
    held.earliest_end = std::min(held.earliest_end, now.boot + std::max(left, Duration(0)));
  }
  return held;
}

AuditDecision SimAuditSink::record_report(const AuditedEvent& event, Waiting one) {
  ReportRecord& report = records_.reports[event.waiter.request];
  records_.step.reported.push_back(event.waiter.request);
  report.user = event.user;
  report.claimed = event.user_is_claimed;
  report.aggregated = event.aggregated;
  if (failing > 0) {
    --failing;
    report.failed = true;
    return AuditDecision::kUnavailable;
  }
  one.report = event.waiter.request;
  return take(std::move(one));
}

AuditDecision SimAuditSink::record(const AuditedEvent& event, AuditTicket ticket) {
  using Kind = AuditedEvent::Kind;
  Waiting one{.ticket = ticket, .query = {}, .report = {}, .lease = {}, .reason = event.reason};
  switch (event.kind) {
    case Kind::kReport: return record_report(event, std::move(one));
    case Kind::kLost: records_.lost_reports += event.count; return AuditDecision::kProceed;
    case Kind::kLease: one.lease = std::string(event.token); return take(std::move(one));
    case Kind::kAnswer:
    case Kind::kSupersession: break;
  }
  if (event.waiter.connection != 0) one.query = event.waiter.request;
  if (failing > 0) {
    --failing;
    if (one.query) records_.queries[*one.query].withheld = true;
    return AuditDecision::kUnavailable;
  }
  if (slow && one.query) {
    QueryRecord& query = records_.queries[*one.query];
    const BootTime now = clock_.now().boot;
    if (query.answer_by <= now) {
      query.answer_by = now + 1s;  // ClaimsService allows one second to record a timeout
      records_.add_deadline(query.answer_by, *one.query);
    }
    sink_.decided(*one.query, event.reason, event.source);
    records_.hold(*one.query, held_record(event));
  }
  return take(std::move(one));
}

AuditDecision SimAuditSink::take(Waiting one) {
  if (!slow) {
    written(one);
    return AuditDecision::kProceed;
  }
  waiting_.push_back(std::move(one));
  return AuditDecision::kPending;
}

void SimAuditSink::written(const Waiting& one) {
  if (!one.lease.empty()) records_.step.leases_recorded.push_back(one.lease);
  if (one.query) records_.queries[*one.query].recorded.push_back(one.reason);
  if (one.report) records_.reports[*one.report].durable = true;
}

void SimAuditSink::begin_commit() {
  committing_ = std::exchange(waiting_, {});
}

void SimAuditSink::end_commit() {
  const bool durable = failing_commits == 0;
  if (!durable) --failing_commits;
  for (const Waiting& one : std::exchange(committing_, {})) {
    if (durable) written(one);
    if (one.report && !durable) records_.reports[*one.report].failed = true;
    if (one.query) {
      QueryRecord& query = records_.queries[*one.query];
      query.waits = false;
      query.withheld |= !durable;
      records_.step.released.push_back(*one.query);
    }
    complete(one.ticket, durable);
  }
}

void SimAuditSink::lose() {
  waiting_.clear();
  committing_.clear();
}

}  // namespace claimsd::sim
