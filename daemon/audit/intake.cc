#include "daemon/audit/intake.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace claimsd::audit {
namespace {

// Space beyond the limit for records that a flood must not displace.
constexpr std::size_t kReservedRecords = 256;

constexpr Duration kNamingPeriod = seconds(1);

// All fields except times, so that folding loses nothing else.
std::string same_key(const Record& record) {
  Record timeless = record;
  timeless.at = {};
  timeless.last = {};
  timeless.duration = {};
  timeless.sequence = 0;
  timeless.count = 1;
  return encode_audit_record(timeless);
}

std::string group_key(const Record& record) {
  return fmt::format("{} {} {} {} {} {}", static_cast<int>(record.event), record.verdict,
                     static_cast<int>(record.reason), record.peer.uid, record.peer.gid,
                     record.upstream);
}

// Reported by a worker, which also decides how often.
bool is_report(Event event) {
  return event == Event::kDenied || event == Event::kUnauthenticated ||
         event == Event::kReportedUnavailable || event == Event::kUnacknowledged;
}

}  // namespace

bool must_be_kept(Event event) {
  switch (event) {
    case Event::kPurged:
    case Event::kRevoked:
    case Event::kUnrevoked:
    case Event::kConfigured:
    case Event::kStarted:
    case Event::kStopped:
    case Event::kGap:
    case Event::kAnchored:
    case Event::kSegmentDropped:
    case Event::kOverQuota: return true;
    case Event::kVerified:
    case Event::kRejected:
    case Event::kRejectedLocally:
    case Event::kUnavailable:
    case Event::kDenied:
    case Event::kLeased:
    case Event::kHit:
    case Event::kSuperseded:
    case Event::kUnauthenticated:
    case Event::kReportedUnavailable:
    case Event::kUnacknowledged: break;
  }
  return false;
}

void Losses::add(std::uint64_t count, claims::AuditDecision verdict, const Now& from, WallTime to) {
  if (count == 0) return;
  first = any() ? Now{std::min(first.boot, from.boot), std::min(first.wall, from.wall)} : from;
  last = any() ? std::max(last, to) : to;
  (verdict == claims::AuditDecision::kUnavailable ? denied : allowed) += count;
}

void Losses::add(const Losses& more) {
  add(more.denied, claims::AuditDecision::kUnavailable, more.first, more.last);
  add(more.allowed, claims::AuditDecision::kProceed, more.first, more.last);
}

Record gap_record(const Losses& losses) {
  Record record;
  record.event = Event::kGap;
  record.at = losses.first;
  record.last = losses.last;
  record.count = losses.events();
  record.detail = fmt::format("denied={} allowed={}", losses.denied, losses.allowed);
  return record;
}

bool Intake::fold(const Record& record, const std::string& same, const std::string& group) {
  if (const auto found = same_.find(same); found != same_.end()) {
    absorb(batch_.records[found->second], record);
    return true;
  }
  return record.user.empty() && fold_into_various(record, group);
}

bool Intake::fold_into_various(const Record& record, const std::string& group) {
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.various == 0) return false;
  absorb(batch_.records[found->second.various - 1], record);
  return true;
}

// Whether a new record should stand for more than one event.
bool Intake::is_various(const Record& record, const std::string& group, Group& alike) {
  if (record.various || ++alike.distinct > policy_.max_distinct) return true;
  if (quota_.is_used_up(record.peer.uid, newest_)) return true;
  Naming& naming = naming_[group];
  if (newest_ - naming.since >= kNamingPeriod) naming = {.since = newest_};
  return ++naming.named > policy_.max_distinct_a_second;
}

bool Intake::may_hold(const Peer& peer, claims::AuditTicket ticket, bool may_wait) const {
  if (!policy_.before_answer || ticket == 0) return true;
  return may_wait && within_share(peer.tickets, batch_.tickets.size(), policy_.max_tickets);
}

claims::AuditDecision Intake::admit(Peer& peer, claims::AuditTicket ticket) {
  if (!policy_.before_answer || ticket == 0) return claims::AuditDecision::kProceed;
  batch_.tickets.push_back(ticket);
  ++peer.tickets;
  return claims::AuditDecision::kPending;
}

std::optional<claims::AuditDecision> Intake::submit_folded(const Record& record,
                                                           claims::AuditTicket ticket,
                                                           bool may_wait) {
  if (broken_ || groups_.empty() || !record.user.empty() || must_be_kept(record.event) ||
      !recorded_at(policy_.level, record.event))
    return std::nullopt;
  const std::string group = group_key(record);
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.various == 0) return std::nullopt;
  Peer& peer = peers_[record.peer.uid];
  if (!may_hold(peer, ticket, may_wait)) return refuse(record);
  fold_into_various(record, group);
  return admit(peer, ticket);
}

bool Intake::has_room(const Record& record, const Peer& peer) const {
  const std::size_t all = batch_.records.size();
  if (must_be_kept(record.event)) return all < policy_.max_records + kReservedRecords;
  return within_share(peer.records, all, policy_.max_records);
}

claims::AuditDecision Intake::refuse(const Record& record) {
  const claims::AuditDecision verdict = without_record(policy_);
  batch_.losses.add(record.count, verdict, record.at, record.last);
  refused_.add(record.count, verdict, record.at, record.last);
  return verdict;
}

claims::AuditDecision Intake::submit(Record record, claims::AuditTicket ticket, bool may_wait) {
  if (!recorded_at(policy_.level, record.event)) return claims::AuditDecision::kProceed;
  if (record.last < record.at.wall) record.last = record.at.wall;
  if (record.various) record = various(record);
  newest_ = std::max(newest_, record.at.boot);
  const bool foldable = !must_be_kept(record.event);
  if (broken_ && foldable) return refuse(record);
  if (is_report(record.event) && quota_.is_used_up(record.peer.uid, newest_)) {
    quota_.count(record);
    return without_record(policy_);
  }

  const std::string group = foldable ? group_key(record) : "";
  if (OutageFolds::applies_to(record.event) && outages_.count(record, group, newest_))
    return claims::AuditDecision::kProceed;

  Peer& peer = peers_[record.peer.uid];
  if (foldable && !may_hold(peer, ticket, may_wait)) return refuse(record);
  const std::string same = foldable ? same_key(record) : "";
  if (!foldable || !fold(record, same, group)) {
    if (!has_room(record, peer)) return refuse(record);
    keep(std::move(record), same, group);
    ++peer.records;
  }
  return admit(peer, ticket);
}

// Adds a record to the batch. `same` and `group` are empty if it is never folded.
void Intake::keep(Record record, const std::string& same, const std::string& group) {
  const std::size_t position = batch_.records.size();
  if (!group.empty() && record.user.empty()) {
    Group& alike = groups_[group];
    if (is_various(record, group, alike)) {
      alike.various = position + 1;
      record = various(record);
    }
  }
  if (!group.empty() && !record.various) same_.emplace(same, position);
  if (!group.empty()) quota_.spend(record, same.size(), newest_);
  batch_.records.push_back(std::move(record));
}

Batch Intake::take(BootTime now, bool last) {
  // The last batch holds them although the disk fails, so that they are counted as lost.
  if (!broken_ || last) {
    for (Record& summary : outages_.take_summaries(std::max(now, newest_), last))
      batch_.records.push_back(std::move(summary));
    for (Record& summary : quota_.take_summaries(std::max(now, newest_), last))
      batch_.records.push_back(std::move(summary));
  }
  same_.clear();
  groups_.clear();
  peers_.clear();
  std::erase_if(naming_, [this](const auto& of_group) {
    return newest_ - of_group.second.since >= kNamingPeriod;
  });
  if (naming_.size() > policy_.max_records) naming_.clear();
  return std::exchange(batch_, {});
}

}  // namespace claimsd::audit
