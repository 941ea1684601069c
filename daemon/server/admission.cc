#include "daemon/server/admission.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::server {
namespace {

// The kernel shows this id for every uid or gid outside this user namespace, so it identifies no
// one (user_namespaces(7), overflowuid).
constexpr std::uint32_t kOverflowId = 65534;

// Uids whose rate of connecting is remembered.
constexpr std::size_t kMaxUids = 1024;

claims::Rate rate_of(const AdmissionPolicy& policy) {
  return {.per_second = policy.connects_per_uid, .burst = 2 * policy.max_connections_per_uid};
}

bool holds(const std::vector<std::uint32_t>& list, std::uint32_t id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

}  // namespace

Admission::Admission(AdmissionPolicy policy)
    : policy_(std::move(policy)), connects_(rate_of(policy_), kMaxUids) {}

void Admission::set_policy(AdmissionPolicy policy) {
  const bool same_rate = rate_of(policy) == rate_of(policy_);
  policy_ = std::move(policy);
  if (!same_rate) connects_ = claims::TokenBuckets<std::uint32_t>(rate_of(policy_), kMaxUids);
}

std::optional<proto::FailureCode> Admission::enter(std::uint32_t uid, std::uint32_t gid,
                                                   BootTime now) {
  if (!allows(uid, gid)) return proto::FailureCode::kNotAllowed;
  claims::TokenBucket& connects = connects_.of(uid, now);
  if (!connects.has(0)) return proto::FailureCode::kConnectsTooFast;
  connects.take();
  if (connections_ >= policy_.max_connections) return proto::FailureCode::kTooManyPeers;
  const auto found = by_uid_.find(uid);
  if (found != by_uid_.end() && found->second >= policy_.max_connections_per_uid)
    return proto::FailureCode::kTooManyOfUid;
  std::uint32_t& of_uid = found == by_uid_.end() ? by_uid_[uid] : found->second;
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

std::string Admission::text_of(proto::FailureCode why) const {
  const std::string_view sentence = proto::sentence_of(why);
  switch (why) {
    case proto::FailureCode::kTooManyPeers:
      return fmt::format("{} (now {})", sentence, policy_.max_connections);
    case proto::FailureCode::kTooManyOfUid:
      return fmt::format("{} (now {})", sentence, policy_.max_connections_per_uid);
    case proto::FailureCode::kConnectsTooFast:
      return fmt::format("{} (now {})", sentence, policy_.connects_per_uid);
    default: return std::string(sentence);
  }
}

bool AdmissionPolicy::allows(std::uint32_t uid, std::uint32_t gid) const {
  if (uid == kOverflowId) return false;
  if (uid == 0 || (allowed_uids.empty() && allowed_gids.empty())) return true;
  return holds(allowed_uids, uid) || (gid != kOverflowId && holds(allowed_gids, gid));
}

}  // namespace claimsd::server
