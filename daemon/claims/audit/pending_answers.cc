#include "daemon/claims/audit/pending_answers.h"

#include <algorithm>
#include <utility>

namespace claimsd::claims {

PendingSubject::PendingSubject(const TokenKey& of, std::string_view its_token,
                               std::string_view its_claims, std::string_view its_document,
                               std::size_t& sum)
    : key(of),
      token(its_token),
      claims(its_claims),
      document(its_document),
      times(read_jwt_times(its_token)),
      sum_(sum) {
  sum_ += size_of(its_token, its_claims, its_document);
}

PendingSubject::~PendingSubject() {
  sum_ -= size_of(token.view(), claims.view(), document.view());
}

std::shared_ptr<PendingSubject> PendingAnswers::subject(const TokenKey& key, std::string_view token,
                                                        std::string_view claims,
                                                        std::string_view document) {
  std::shared_ptr<PendingSubject> last = last_subject_.lock();
  if (last && last->key == key && last->claims.view() == claims &&
      last->document.view() == document)
    return last;
  last = std::make_shared<PendingSubject>(key, token, claims, document, bytes_);
  last_subject_ = last;
  return last;
}

void PendingAnswers::add(AuditTicket ticket, PendingAnswer pending) {
  const Position at = last_ + 1;
  if (count_ == 0) first_ = at;
  if (at - first_ == ring_.size()) grow();
  last_ = at;
  earliest_ = count_ == 0 ? pending.deadline : std::min(earliest_, pending.deadline);
  ++count_;
  if (pending.subject) {
    pending.answer.claims = pending.subject->claims.view();
    pending.answer.document = pending.subject->document.view();
    by_key_.emplace(pending.subject->key, at);
    if (pending.kind == PendingKind::kLease) leases_.insert(pending.subject->key);
  }
  const std::uint64_t connection = pending.waiter.connection;
  place_of(at) = {.ticket = ticket, .pending = std::move(pending)};
  link(at, connection);
}

void PendingAnswers::grow() {
  std::vector<Slot> before(2 * ring_.size());
  before.swap(ring_);
  for (Position at = first_; at <= last_; ++at)
    place_of(at) = std::move(before[at & (before.size() - 1)]);
}

void PendingAnswers::link(Position at, std::uint64_t connection) {
  Position& newest = by_connection_[connection];
  if (newest != 0) place_of(newest).newer = at;
  place_of(at).older = std::exchange(newest, at);
}

void PendingAnswers::unlink(const Slot& place, std::uint64_t connection) {
  if (place.older != 0) place_of(place.older).newer = place.newer;
  if (place.newer != 0) {
    place_of(place.newer).older = place.older;
  } else if (place.older != 0) {
    by_connection_[connection] = place.older;
  } else {
    by_connection_.erase(connection);
  }
}

// Fast path: the ticket is usually the oldest.
PendingAnswers::Position PendingAnswers::find(AuditTicket ticket) {
  if (count_ == 0) return 0;
  Position low = first_;
  Position high = place_of(first_).ticket == ticket ? first_ : last_;
  while (low < high) {
    const Position middle = low + (high - low) / 2;
    if (place_of(middle).ticket < ticket) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const Slot& found = place_of(low);
  return found.ticket == ticket && found.pending ? low : 0;
}

std::optional<PendingAnswer> PendingAnswers::take(AuditTicket ticket) {
  const Position at = find(ticket);
  if (at == 0) return std::nullopt;
  return drop(at);
}

std::vector<PendingAnswer> PendingAnswers::take_overdue(BootTime now) {
  std::vector<PendingAnswer> overdue;
  if (count_ == 0 || earliest_ > now) return overdue;
  BootTime earliest = BootTime::max();
  for (Position at = first_; at <= last_; ++at) {
    const std::optional<PendingAnswer>& pending = place_of(at).pending;
    if (!pending) continue;
    if (pending->deadline <= now) {
      overdue.push_back(drop(at));
    } else {
      earliest = std::min(earliest, pending->deadline);
    }
  }
  earliest_ = earliest;
  return overdue;
}

// Leases keep waiting: no client depends on them.
void PendingAnswers::drop_connection(std::uint64_t connection) {
  const auto found = by_connection_.find(connection);
  Position at = found == by_connection_.end() ? 0 : found->second;
  while (at != 0) {
    const Slot& place = place_of(at);
    const Position older = place.older;
    if (place.pending->kind != PendingKind::kLease) drop(at);
    at = older;
  }
}

void PendingAnswers::reject(const TokenKey& key, BootTime started) {
  const auto [first, last] = by_key_.equal_range(key);
  for (auto entry = first; entry != last; ++entry) {
    PendingAnswer& pending = *place_of(entry->second).pending;
    if (pending.settled_at < started) pending.rejected = true;
  }
}

std::optional<BootTime> PendingAnswers::next_deadline() const {
  if (count_ == 0) return std::nullopt;
  return earliest_;
}

PendingAnswer PendingAnswers::drop(Position at) {
  Slot& place = place_of(at);
  PendingAnswer pending = std::move(*place.pending);
  place.pending.reset();
  unlink(place, pending.waiter.connection);
  --count_;
  while (first_ <= last_ && !place_of(first_).pending) ++first_;
  if (pending.subject) {
    const auto [first, last] = by_key_.equal_range(pending.subject->key);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second != at) continue;
      by_key_.erase(entry);
      break;
    }
    if (pending.kind == PendingKind::kLease) leases_.erase(pending.subject->key);
  }
  return pending;
}

}  // namespace claimsd::claims
