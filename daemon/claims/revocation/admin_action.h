// admin_action.h: purge, revoke and unrevoke requests of an operator, and their results.
//
// `purge` removes: the next query goes to the Auth API. `revoke` invalidates, whatever the Auth API
// says. `unrevoke` withdraws an earlier action. Plain values; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"
#include "daemon/claims/revocation/rule.h"

namespace claimsd::claims {

enum class Subject : std::uint8_t { kToken, kUser, kAllUsers };

struct AdminAction {
  Subject subject = Subject::kToken;
  std::string_view who;  // the token or the user's id claim; valid during the call only
  std::optional<UpstreamId> upstream;  // kUser: limits it to one Auth API; nullopt: all
  // For revoke: duration for a token without `exp`, for tokens without `iat`, and for a lock.
  // Nullopt: the policy's default.
  std::optional<Duration> length;
  // For revoke: tokens of a user issued before are invalid; nullopt: this host's time.
  std::optional<WallTime> time;
  std::optional<std::uint32_t> actor_uid;  // the operator's uid, for the log; nullopt: unknown
  bool lock = false;                       // revoke of a user: also invalidates tokens issued later
};

enum class ActionOutcome : std::uint8_t {
  kDone,              // in effect
  kNoToken,           // the input is not a valid token
  kNoUser,            // the input is not a valid user id
  kFull,              // too many rules; nothing has changed
  kUnknownAction,     // unrevoke: no action in force has this id
  kWithdrawnEarlier,  // unrevoke: nothing has changed
  kNotWithdrawable,   // unrevoke: a purge
};

struct ActionResult {
  ActionOutcome outcome = ActionOutcome::kDone;
  bool durable = false;           // survives a restart; if false, not written yet
  bool recorded = true;           // in the audit log, if one is configured
  std::optional<WallTime> until;  // when the revocation ends; nullopt for a purge
  std::optional<ActionId> id;     // names the action; none: nothing was stored
  WallTime made_at{};            // by this host's clock: a user's tokens issued earlier are revoked
  bool other_spellings = false;  // kToken: another spelling of the token may not be revoked
  std::optional<bool> known;     // kToken: claimsd knew something about the token
};

// Called exactly once: immediately if nothing was done, otherwise when the action is durable, or
// when it is known that this takes longer.
using ActionDone = std::function<void(const ActionResult&)>;

}  // namespace claimsd::claims
