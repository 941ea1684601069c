#include "daemon/claims/held_answers.h"

#include <algorithm>
#include <utility>

namespace claimsd::daemon {

HeldSubject::HeldSubject(const TokenKey& of, std::string_view its_token,
                         std::string_view its_claims, std::size_t& sum)
    : key(of), token(its_token), claims(its_claims), times(read_jwt_times(its_token)), sum_(sum) {
  sum_ += size_of(its_token, its_claims);
}

HeldSubject::~HeldSubject() {
  sum_ -= size_of(token.view(), claims.view());
}

std::shared_ptr<HeldSubject> HeldAnswers::subject(const TokenKey& key, std::string_view token,
                                                  std::string_view claims) {
  std::shared_ptr<HeldSubject> last = last_subject_.lock();
  if (last && last->key == key && last->claims.view() == claims) return last;
  last = std::make_shared<HeldSubject>(key, token, claims, bytes_);
  last_subject_ = last;
  return last;
}

void HeldAnswers::hold(AuditTicket ticket, Held held) {
  if (count_ == 0) first_ = ticket;
  if (ticket - first_ >= ring_.size()) grow();
  last_ = ticket;
  earliest_ = count_ == 0 ? held.deadline : std::min(earliest_, held.deadline);
  ++count_;
  if (held.subject) {
    held.answer.claims = held.subject->claims.view();
    by_key_.emplace(held.subject->key, ticket);
    if (held.kind == HeldKind::kLease) leases_.insert(held.subject->key);
  }
  const std::uint64_t connection = held.waiter.connection;
  place_of(ticket) = {.held = std::move(held)};
  link(ticket, connection);
}

void HeldAnswers::grow() {
  std::vector<Place> before(2 * ring_.size());
  before.swap(ring_);
  for (AuditTicket ticket = first_; ticket <= last_; ++ticket)
    place_of(ticket) = std::move(before[ticket & (before.size() - 1)]);
}

void HeldAnswers::link(AuditTicket ticket, std::uint64_t connection) {
  AuditTicket& newest = by_connection_[connection];
  if (newest != 0) place_of(newest).newer = ticket;
  place_of(ticket).older = std::exchange(newest, ticket);
}

void HeldAnswers::unlink(const Place& place, std::uint64_t connection) {
  if (place.older != 0) place_of(place.older).newer = place.newer;
  if (place.newer != 0) {
    place_of(place.newer).older = place.older;
  } else if (place.older != 0) {
    by_connection_[connection] = place.older;
  } else {
    by_connection_.erase(connection);
  }
}

std::optional<Held> HeldAnswers::take(AuditTicket ticket) {
  if (!holds(ticket)) return std::nullopt;
  return drop(ticket);
}

std::vector<Held> HeldAnswers::take_overdue(BootTime now) {
  std::vector<Held> overdue;
  if (count_ == 0 || earliest_ > now) return overdue;
  BootTime earliest = BootTime::max();
  for (AuditTicket ticket = first_; ticket <= last_; ++ticket) {
    if (!holds(ticket)) continue;
    const BootTime deadline = place_of(ticket).held->deadline;
    if (deadline <= now) {
      overdue.push_back(drop(ticket));
    } else {
      earliest = std::min(earliest, deadline);
    }
  }
  earliest_ = earliest;
  return overdue;
}

// What waits for nobody's sake, a lease, goes on waiting.
void HeldAnswers::forget(std::uint64_t connection) {
  const auto found = by_connection_.find(connection);
  AuditTicket ticket = found == by_connection_.end() ? 0 : found->second;
  while (ticket != 0) {
    const Place& place = place_of(ticket);
    const AuditTicket older = place.older;
    if (place.held->kind != HeldKind::kLease) drop(ticket);
    ticket = older;
  }
}

void HeldAnswers::refuse(const TokenKey& key, BootTime started) {
  const auto [first, last] = by_key_.equal_range(key);
  for (auto at = first; at != last; ++at) {
    Held& held = *place_of(at->second).held;
    if (held.settled_at < started) held.refused = true;
  }
}

std::optional<BootTime> HeldAnswers::next_deadline() const {
  if (count_ == 0) return std::nullopt;
  return earliest_;
}

Held HeldAnswers::drop(AuditTicket ticket) {
  Place place = std::exchange(place_of(ticket), {});
  Held held = std::move(*place.held);
  --count_;
  while (first_ <= last_ && !holds(first_)) ++first_;
  unlink(place, held.waiter.connection);
  if (held.subject) {
    const auto [first, last] = by_key_.equal_range(held.subject->key);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second != ticket) continue;
      by_key_.erase(entry);
      break;
    }
    if (held.kind == HeldKind::kLease) leases_.erase(held.subject->key);
  }
  return held;
}

}  // namespace claimsd::daemon
