// orders.h: what an operator told the service, and what follows from it by DESIGN's rules: who is
// denied, and which confirmations count for nothing.
#pragma once

#include <optional>
#include <string>

#include "daemon/claims/revocation/orders.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

struct OrderRecord {
  bool revokes = false;  // else it purges
  daemon::Subject subject = daemon::Subject::kToken;
  std::string who;
  TokenNumber token_number = 0;                // kToken
  std::uint32_t user = 0;                      // kUser
  std::optional<daemon::UpstreamId> upstream;  // kUser; none: every one
  bool lock = false;
  daemon::Now made;
  daemon::Duration length{};  // of a token's end, of undated tokens, of a lock
  QuestionNumber first_question_after = 0;
  bool in_effect = false;  // the call has returned; no crash has undone it
  bool durable = false;
  // A later one about the same subject, merged with this, is durable.
  bool lingers = false;
  // A purge of one user for whom there was no room: all are forgotten.
  bool perhaps_of_all = false;
  // Both clocks have passed its length; and that by as much as a rule may outlive it.
  bool over = false;
  bool long_over = false;

  bool is_about(const TokenRecord& token) const;
  // Does it deny the token, or has it ever (`for_ever`)?
  bool denies(const TokenRecord& token, bool for_ever = false) const;
  // Is it one of those that wait for a younger confirmation?
  bool forgets(const TokenRecord& token, daemon::BootTime confirmed_at) const {
    return !revokes && is_about(token) && confirmed_at < made.boot;
  }
  // May it have?
  bool may_forget(const TokenRecord& token, daemon::BootTime confirmed_at) const {
    return !revokes && (perhaps_of_all || is_about(token)) && confirmed_at <= made.boot;
  }
};

}  // namespace claimsd::sim
