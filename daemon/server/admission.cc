#include "daemon/server/admission.h"

#include <algorithm>

namespace claimsd::server {
namespace {

// The kernel shows this id for every uid or gid outside this user namespace, so it identifies no
// one (user_namespaces(7), overflowuid).
constexpr std::uint32_t kOverflowId = 65534;

bool holds(const std::vector<std::uint32_t>& list, std::uint32_t id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

}  // namespace

std::optional<proto::FailureCode> Admission::enter(std::uint32_t uid, std::uint32_t gid) {
  if (!allows(uid, gid)) return proto::FailureCode::kNotAllowed;
  if (connections_ >= policy_.max_connections) return proto::FailureCode::kTooManyPeers;
  std::uint32_t& of_uid = by_uid_[uid];
  if (of_uid >= policy_.max_connections_per_uid) return proto::FailureCode::kTooManyPeers;
  ++of_uid;
  ++connections_;
  return std::nullopt;
}

void Admission::leave(std::uint32_t uid) {
  const auto found = by_uid_.find(uid);
  if (found == by_uid_.end()) return;
  --connections_;
  if (--found->second == 0) by_uid_.erase(found);
}

bool Admission::allows(std::uint32_t uid, std::uint32_t gid) const {
  if (uid == kOverflowId) return false;
  if (uid == 0 || (policy_.allowed_uids.empty() && policy_.allowed_gids.empty())) return true;
  return holds(policy_.allowed_uids, uid) ||
         (gid != kOverflowId && holds(policy_.allowed_gids, gid));
}

}  // namespace claimsd::server
