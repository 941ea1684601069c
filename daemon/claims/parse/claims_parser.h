// claims_parser.h: the Auth API's answer to GET /api/me/, held to the contract, as a claims block.
//
// Strict, since what passes here lets people in: one JSON object in valid UTF-8, no deeper than 32,
// no key twice in any object, no control character in any string. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/parse/json_room.h"

namespace claimsd::daemon {

// Which members of the object are the id, the email and the role(s).
struct ClaimNames {
  std::string id = "id";
  std::string email = "email";
  std::string role = "role";
};

struct ParsedClaims {
  Secret block;  // proto/claims_block.h
  bool trimmed =
      false;  // the raw object was over proto::kMaxRawClaims: `raw` holds id, email and role alone
};

// The id is a non-empty string or an integer (kept as its decimal digits); the email a string, null
// or absent; the role a string, an array of strings, null or absent. The Error names the rule and
// the member, never a value.
Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names, JsonRoom& room);
Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names);

}  // namespace claimsd::daemon
