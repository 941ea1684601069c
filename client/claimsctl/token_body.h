// token_body.h: builds an admin API request body that contains a token.
#pragma once

#include <cstdint>
#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/base/secret.h"

namespace claimsd::claimsctl {

// {"token": "..."} from the contents of `file` ("-": standard input), with "for_seconds" if
// `length` is not 0. Intermediate copies are wiped.
Expected<Secret> token_body(const std::string& file, std::int64_t length = 0);

}  // namespace claimsd::claimsctl
