#include "daemon/claims/audit/held_answers.h"

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
  const Position at = last_ + 1;
  if (count_ == 0) first_ = at;
  if (at - first_ == ring_.size()) grow();
  last_ = at;
  earliest_ = count_ == 0 ? held.deadline : std::min(earliest_, held.deadline);
  ++count_;
  if (held.subject) {
    held.answer.claims = held.subject->claims.view();
    by_key_.emplace(held.subject->key, at);
    if (held.kind == HeldKind::kLease) leases_.insert(held.subject->key);
  }
  const std::uint64_t connection = held.waiter.connection;
  place_of(at) = {.ticket = ticket, .held = std::move(held)};
  link(at, connection);
}

void HeldAnswers::grow() {
  std::vector<Place> before(2 * ring_.size());
  before.swap(ring_);
  for (Position at = first_; at <= last_; ++at)
    place_of(at) = std::move(before[at & (before.size() - 1)]);
}

void HeldAnswers::link(Position at, std::uint64_t connection) {
  Position& newest = by_connection_[connection];
  if (newest != 0) place_of(newest).newer = at;
  place_of(at).older = std::exchange(newest, at);
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

// Fast path: the ticket is usually the oldest.
HeldAnswers::Position HeldAnswers::find(AuditTicket ticket) {
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
  const Place& found = place_of(low);
  return found.ticket == ticket && found.held ? low : 0;
}

std::optional<Held> HeldAnswers::take(AuditTicket ticket) {
  const Position at = find(ticket);
  if (at == 0) return std::nullopt;
  return drop(at);
}

std::vector<Held> HeldAnswers::take_overdue(BootTime now) {
  std::vector<Held> overdue;
  if (count_ == 0 || earliest_ > now) return overdue;
  BootTime earliest = BootTime::max();
  for (Position at = first_; at <= last_; ++at) {
    const std::optional<Held>& held = place_of(at).held;
    if (!held) continue;
    if (held->deadline <= now) {
      overdue.push_back(drop(at));
    } else {
      earliest = std::min(earliest, held->deadline);
    }
  }
  earliest_ = earliest;
  return overdue;
}

// Leases keep waiting: no client depends on them.
void HeldAnswers::forget(std::uint64_t connection) {
  const auto found = by_connection_.find(connection);
  Position at = found == by_connection_.end() ? 0 : found->second;
  while (at != 0) {
    const Place& place = place_of(at);
    const Position older = place.older;
    if (place.held->kind != HeldKind::kLease) drop(at);
    at = older;
  }
}

void HeldAnswers::refuse(const TokenKey& key, BootTime started) {
  const auto [first, last] = by_key_.equal_range(key);
  for (auto entry = first; entry != last; ++entry) {
    Held& held = *place_of(entry->second).held;
    if (held.settled_at < started) held.refused = true;
  }
}

std::optional<BootTime> HeldAnswers::next_deadline() const {
  if (count_ == 0) return std::nullopt;
  return earliest_;
}

Held HeldAnswers::drop(Position at) {
  Place& place = place_of(at);
  Held held = std::move(*place.held);
  place.held.reset();
  unlink(place, held.waiter.connection);
  --count_;
  while (first_ <= last_ && !place_of(first_).held) ++first_;
  if (held.subject) {
    const auto [first, last] = by_key_.equal_range(held.subject->key);
    for (auto entry = first; entry != last; ++entry) {
      if (entry->second != at) continue;
      by_key_.erase(entry);
      break;
    }
    if (held.kind == HeldKind::kLease) leases_.erase(held.subject->key);
  }
  return held;
}

}  // namespace claimsd::daemon
