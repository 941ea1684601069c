// admin_actions.h: operator orders given to the service, and their expected effects: which tokens are
// invalid and which confirmations are void.
#pragma once

#include <optional>
#include <string>

#include "daemon/claims/revocation/admin_action.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

struct ActionRecord {
  bool revokes = false;  // otherwise it purges
  claims::Subject subject = claims::Subject::kToken;
  std::string who;
  TokenNumber token_number = 0;                // kToken
  std::uint32_t user = 0;                      // kUser
  std::optional<claims::UpstreamId> upstream;  // kUser; nullopt: all
  bool lock = false;
  Now made;
  Duration length{};  // duration for tokens without exp, tokens without iat, and locks
  QueryNumber first_query_after = 0;
  bool in_effect = false;  // the call has returned, and no crash has undone the order
  bool durable = false;
  std::optional<claims::ActionId> id;  // none: nothing was stored
  bool withdrawn = false;              // and no crash has undone that
  bool withdrawal_durable = false;
  // A purge of one user without room for its rule, which purges all users instead.
  bool perhaps_of_all = false;
  // over: both clocks have passed `length`. long_over: they have also passed the time by which a
  // rule may outlast it.
  bool over = false;
  bool long_over = false;

  bool is_about(const TokenRecord& token) const;
  // True if the order invalidates the token now or, with `for_ever`, ever did.
  bool denies(const TokenRecord& token, bool for_ever = false) const;
  // True if the order makes the confirmation void.
  bool forgets(const TokenRecord& token, BootTime confirmed_at) const {
    return !revokes && is_about(token) && confirmed_at < made.boot;
  }
  // True if it may have made the confirmation void.
  bool may_forget(const TokenRecord& token, BootTime confirmed_at) const {
    return !revokes && (perhaps_of_all || is_about(token)) && confirmed_at <= made.boot;
  }
};

}  // namespace claimsd::sim
