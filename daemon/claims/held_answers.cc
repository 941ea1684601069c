#include "daemon/claims/held_answers.h"

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
  by_deadline_.emplace(held.deadline, ticket);
  by_connection_.emplace(held.waiter.connection, ticket);
  if (held.subject) {
    held.answer.claims = held.subject->claims.view();
    by_key_.emplace(held.subject->key, ticket);
    if (held.kind == HeldKind::kLease) leases_.insert(held.subject->key);
  }
  held_.emplace(ticket, std::move(held));
}

std::optional<Held> HeldAnswers::take(AuditTicket ticket) {
  const auto found = held_.find(ticket);
  if (found == held_.end()) return std::nullopt;
  return drop(found);
}

std::optional<Held> HeldAnswers::take_overdue(BootTime now) {
  if (by_deadline_.empty() || by_deadline_.begin()->first > now) return std::nullopt;
  return take(by_deadline_.begin()->second);
}

// What waits for nobody's sake, a lease, goes on waiting.
void HeldAnswers::forget(std::uint64_t connection) {
  auto at = by_connection_.lower_bound({connection, 0});
  while (at != by_connection_.end() && at->first == connection) {
    const auto found = held_.find((at++)->second);
    if (found->second.kind != HeldKind::kLease) drop(found);
  }
}

void HeldAnswers::refuse(const TokenKey& key, BootTime started) {
  const auto [first, last] = by_key_.equal_range(key);
  for (auto at = first; at != last; ++at) {
    Held& held = held_.at(at->second);
    if (held.settled_at < started) held.refused = true;
  }
}

std::optional<BootTime> HeldAnswers::next_deadline() const {
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first;
}

Held HeldAnswers::drop(All::iterator at) {
  const AuditTicket ticket = at->first;
  Held held = std::move(at->second);
  held_.erase(at);
  by_deadline_.erase({held.deadline, ticket});
  by_connection_.erase({held.waiter.connection, ticket});
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
