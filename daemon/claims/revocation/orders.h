// orders.h: what an operator can tell the service about tokens and users, and what comes of it.
//
// `purge` forgets: the next question asks the Auth API. `revoke` denies, whatever the Auth API
// says. Plain values; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

enum class Subject : std::uint8_t { kToken, kUser, kEverybody };

struct Order {
  Subject subject = Subject::kToken;
  std::string_view who;  // the token or the user's id claim; read during the call alone
  std::optional<UpstreamId> upstream;  // kUser: of which Auth API; none: of every one
  // revoke: of a token without `exp`, or users' tokens without `iat`, and of a lock. None: the
  // policy's.
  std::optional<Duration> length;
  std::optional<std::uint32_t> given_by;  // the operator's uid, for the log; none: unknown
  bool lock = false;  // revoke of a user: also tokens that are issued from now on
};

enum class OrderOutcome : std::uint8_t {
  kDone,     // in effect
  kNoToken,  // what was given cannot be a token
  kNoUser,   // what was given cannot be an id
  kFull,     // no room for another rule: nothing has changed
};

struct OrderResult {
  OrderOutcome outcome = OrderOutcome::kDone;
  bool durable = false;           // it survives the daemon; if not, it is in effect until that ends
  bool recorded = true;           // in the audit log, where one is kept
  std::optional<WallTime> until;  // when a revocation ends by itself; none: a purge
};

// Called once: at once when nothing was done, else when it is known whether it is durable.
using OrderDone = std::function<void(const OrderResult&)>;

}  // namespace claimsd::daemon
