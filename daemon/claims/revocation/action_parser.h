// action_parser.h: parses the JSON body of a purge, revoke or unrevoke request to the admin API.
//
//   member                 used by           meaning
//   "token": "..."         both              one token
//   "user": "ID"           both              one user
//   "all_users": true      both              all users
//   "upstream": "NAME"     with "user"       limits it to one Auth API
//   "for_seconds": 3600    revoke            duration: a lock, tokens without `exp` or `iat`
//   "lock": true           revoke of a user  invalidates all tokens of the user for that time
//
// Exactly one of "token", "user" and "all_users" is required. Unrevoke takes only "id", the id of
// the action.
//
// Strict: an invalid member rejects the whole request. Copies of the input are wiped. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/revocation/admin_action.h"

namespace claimsd::claims {

enum class ActionKind : std::uint8_t { kPurge, kRevoke };

struct ParsedAction {
  AdminAction action;  // `who` points into the member below; `upstream` is not set
  Secret who;
  std::string upstream;  // a name; "": none
};

// The error names the member and the reason, never a value.
Result<ParsedAction> parse_action(std::string_view body, ActionKind kind);

Result<ActionId> parse_action_id(std::string_view body);

}  // namespace claimsd::claims
