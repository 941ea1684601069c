// required_claims.h: compares a document with the values that the configuration requires.
// Pure; any thread.
#pragma once

#include <vector>

#include "daemon/claims/parse/member.h"

namespace claimsd::claims {

// The first required claim that `document` does not have, or null.
Result<const RequiredClaim*> find_mismatch(Element document,
                                           const std::vector<RequiredClaim>& required);

}  // namespace claimsd::claims
