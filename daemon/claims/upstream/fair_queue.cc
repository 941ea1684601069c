#include "daemon/claims/upstream/fair_queue.h"

namespace claimsd::claims {

void FairQueue::push(FlightId id, std::uint32_t uid, bool known) {
  OfUid& queue = by_uid_[uid];
  (known ? queue.known : queue.others).push_back(id);
  ++size_;
}

FlightId FairQueue::pop() {
  auto at = by_uid_.upper_bound(last_uid_);
  if (at == by_uid_.end()) at = by_uid_.begin();
  last_uid_ = at->first;
  OfUid& queue = at->second;
  const bool known =
      queue.others.empty() || (!queue.known.empty() && queue.turns < kTurnsOfTheKnown);
  queue.turns = known ? queue.turns + 1 : 0;
  std::list<FlightId>& from = known ? queue.known : queue.others;
  const FlightId id = from.front();
  from.pop_front();
  if (queue.known.empty() && queue.others.empty()) by_uid_.erase(at);
  --size_;
  return id;
}

std::size_t FairQueue::size_of(std::uint32_t uid) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? 0 : found->second.known.size() + found->second.others.size();
}

}  // namespace claimsd::claims
