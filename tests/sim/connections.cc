#include "tests/sim/connections.h"

#include <algorithm>

namespace claimsd::sim {

namespace {

constexpr Duration kMaxAge = seconds(60);

}  // namespace

UsedConnection ConnectionPool::take(claims::Connect connect, BootTime now) {
  std::erase_if(kept_, [&](const Kept& kept) { return now - kept.made > kMaxAge; });
  if (connect == claims::Connect::kFresh || kept_.empty())
    return {.made = now, .instance = instance_, .generation = generation_, .reused = false};
  const Kept kept = kept_.back();
  kept_.pop_back();
  return {.made = kept.made, .instance = kept.instance, .generation = generation_, .reused = true};
}

void ConnectionPool::give_back(const UsedConnection& used, const Response& response) {
  if (used.generation != generation_) return;
  const bool failed = response.failure != proto::Reason::kOk || response.status >= 500;
  if (!failed) return kept_.push_back({used.made, used.instance});
  const bool timed_out = response.failure == proto::Reason::kUpstreamTimeout;
  if (used.reused && (timed_out || response.status >= 500)) drop();
}

void ConnectionPool::drop() {
  kept_.clear();
  ++generation_;
}

void ConnectionPool::deploy(OldInstance how) {
  ++instance_;
  how_ = how;
}

}  // namespace claimsd::sim
