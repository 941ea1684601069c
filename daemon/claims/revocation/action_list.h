// action_list.h: what an operator may see of the actions that revoke: never their subject, which is
// not stored. Plain values; loop thread.
#pragma once

#include <functional>
#include <optional>

#include "daemon/claims/revocation/revocations.h"

namespace claimsd::claims {

struct ActionDescription {
  ActionId id;
  RuleKind kind = RuleKind::kToken;  // kLock: the action also contains kUser
  WallTime made_at{};
  WallTime until{};
  std::uint32_t actor_uid = kUnknownActor;
  HostId author;  // zeros: only this host has the action
  std::optional<WallTime> withdrawn_at;
  std::optional<std::uint32_t> withdrawn_by;
};

// Visits up to `most` actions other than purges, by id, starting after `after`. Returns the id to
// continue after, or nullopt at the end. Visits at most kMaxListSteps rules.
inline constexpr std::size_t kMaxListSteps = 2'000;
std::optional<ActionId> list_actions(const Revocations& revocations,
                                     const std::optional<ActionId>& after, std::size_t most,
                                     const std::function<void(const ActionDescription&)>& visit);

}  // namespace claimsd::claims
