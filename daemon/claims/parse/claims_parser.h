// claims_parser.h: validates the body of GET /api/me/ against the contract and encodes it as a
// claims block (proto/claims_block.h).
//
// Strict, because what passes here grants access: one JSON object in valid UTF-8, at most 32 levels
// deep, no duplicate keys in any object, no control characters in any string. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/parse/json_buffers.h"

namespace claimsd::claims {

// Names of the members that hold the user's id, email and role(s).
struct ClaimNames {
  std::string id = "id";
  std::string email = "email";
  std::string role = "role";
};

struct ParsedClaims {
  Secret block;  // wiped on destruction
  bool truncated =
      // True if the raw object exceeded proto::kMaxRawClaims, so that `raw` holds only id, email
      // and role.
      false;
};

// The id must be a non-empty string or an integer (kept as decimal digits); the email a string,
// null or absent; the role a string, an array of strings, null or absent. The error names the rule
// and the member, never a value.
Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names,
                                  JsonBuffers& buffers);
Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names);

}  // namespace claimsd::claims
