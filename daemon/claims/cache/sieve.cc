#include "daemon/claims/cache/sieve.h"

namespace claimsd::claims {

Sieve::Index Sieve::find(const TokenKey& key) const {
  return index_.find(key, key_at());
}

bool Sieve::may_hold(const TokenKey& key) const {
  const std::uint32_t at = index_.guess(key);
  if (at == kNone) return false;
  __builtin_prefetch(&nodes_[at]);
  return true;
}

void Sieve::put(const TokenKey& key, BootTime ends) {
  std::uint32_t at = find(key);
  if (at != kNone) {
    nodes_[at].ends = ends;
    return settle(nodes_[at].place);
  }
  if (free_.empty()) {
    at = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  nodes_[at] = Node{.key = key, .ends = ends};
  index_.insert(at, key_at());
  link_newest(at);
  by_end_.push_back(at);
  settle(static_cast<std::uint32_t>(by_end_.size() - 1));
}

void Sieve::touch(const TokenKey& key) {
  if (const Index place = find(key); place != npos) touch(place);
}

void Sieve::erase(const TokenKey& key) {
  const std::uint32_t at = find(key);
  if (at == kNone) return;
  unlink(at);
  leave(nodes_[at].place);
  index_.erase(key, key_at());
  free_.push_back(at);
}

std::optional<TokenKey> Sieve::evict(BootTime now) {
  if (index_.size() == 0) return std::nullopt;
  const std::uint32_t first_to_end = by_end_.front();
  const std::uint32_t at = nodes_[first_to_end].ends <= now ? first_to_end : move_hand();
  const TokenKey victim = nodes_[at].key;
  erase(victim);
  return victim;
}

// Moves the hand to the next unmarked key, where it stays until that key is erased.
std::uint32_t Sieve::move_hand() {
  if (hand_ == kNone) hand_ = oldest_;
  for (std::size_t steps = 0; nodes_[hand_].used && steps < kMaxSteps; ++steps) {
    nodes_[hand_].used = false;
    hand_ = nodes_[hand_].newer == kNone ? oldest_ : nodes_[hand_].newer;
  }
  return hand_;
}

void Sieve::link_newest(std::uint32_t at) {
  nodes_[at].older = newest_;
  if (newest_ != kNone) nodes_[newest_].newer = at;
  newest_ = at;
  if (oldest_ == kNone) oldest_ = at;
}

void Sieve::unlink(std::uint32_t at) {
  const Node& node = nodes_[at];
  if (node.newer != kNone) nodes_[node.newer].older = node.older;
  if (node.older != kNone) nodes_[node.older].newer = node.newer;
  if (newest_ == at) newest_ = node.older;
  if (oldest_ == at) oldest_ = node.newer;
  if (hand_ == at) hand_ = node.newer;  // kNone: start again at the oldest
}

// Moves the node at `place` up or down to its position in the heap.
void Sieve::settle(std::uint32_t place) {
  const std::uint32_t at = by_end_[place];
  const auto end_of = [this](std::size_t of) { return nodes_[by_end_[of]].ends; };
  const auto fill = [this](std::uint32_t here, std::uint32_t with) {
    by_end_[here] = with;
    nodes_[with].place = here;
  };
  for (std::uint32_t up = 0; place > 0; place = up) {
    up = (place - 1) / 2;
    if (end_of(up) <= nodes_[at].ends) break;
    fill(place, by_end_[up]);
  }
  for (std::uint32_t down = 2 * place + 1; down < by_end_.size(); down = 2 * place + 1) {
    if (down + 1 < by_end_.size() && end_of(down + 1) < end_of(down)) ++down;
    if (nodes_[at].ends <= end_of(down)) break;
    fill(place, by_end_[down]);
    place = down;
  }
  fill(place, at);
}

// Removes the node at `place` from the heap.
void Sieve::leave(std::uint32_t place) {
  by_end_[place] = by_end_.back();
  by_end_.pop_back();
  if (place < by_end_.size()) settle(place);
}

}  // namespace claimsd::claims
