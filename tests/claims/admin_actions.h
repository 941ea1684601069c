// admin_actions.h: actions of an operator, for tests of the service.
#pragma once

#include <string_view>

#include "daemon/claims/revocation/admin_action.h"

namespace claimsd::claims {

inline constexpr std::string_view kUser = "user-123";  // from testing::kClaimsBody

inline AdminAction token(std::string_view token) {
  return {.subject = Subject::kToken, .who = token, .upstream = {}, .length = {}};
}

}  // namespace claimsd::claims
