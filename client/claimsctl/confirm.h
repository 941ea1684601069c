// confirm.h: asks the person at the terminal before something that cannot be missed.
#pragma once

#include <string_view>

#include "client/claimsctl/problem.h"

namespace claimsd::claimsctl {

// Asks on the terminal; anything but "yes" is a refusal. Without a terminal it is refused as well: a
// script says --yes.
Expected<void> confirm(std::string_view consequence);

}  // namespace claimsd::claimsctl
