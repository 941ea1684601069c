// claim_mapping.h: which members of a claims document are the user's id, email address and roles,
// and which values the document and the token must have. Constant after the start; any thread.
#pragma once

#include <vector>

#include "daemon/base/claim_path.h"
#include "proto/limits.h"

namespace claimsd::claims {

// Role claims are numbered by the bits of DocumentNotes::role_claims_found.
inline constexpr std::size_t kMaxRoleClaims = 32;

struct ClaimMapping {
  ClaimPath id = ClaimPath::member("id");
  ClaimPath email = ClaimPath::member("email");
  std::vector<RoleClaim> roles = {{ClaimPath::member("role"), RoleForm::kList}};
  std::vector<RequiredClaim> require;        // of the document
  std::vector<RequiredClaim> require_token;  // of the token's payload
  std::size_t max_raw = proto::kMaxRawClaims;
};

}  // namespace claimsd::claims
