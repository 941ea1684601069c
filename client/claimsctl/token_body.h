// token_body.h: a token as the admin API takes it: in the body of a request.
#pragma once

#include <cstdint>
#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/base/secret.h"

namespace claimsd::ctl {

// {"token": "..."} of what `file` holds ("-": standard input), with "for_seconds" where `length` is
// not 0. What passed on the way is wiped.
Expected<daemon::Secret> token_body(const std::string& file, std::int64_t length = 0);

}  // namespace claimsd::ctl
