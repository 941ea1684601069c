// token_input.h: where `query` gets its token from: standard input or a file, never an argument or
// the environment, which other processes can read. The bytes are wiped wherever they passed.
#pragma once

#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/base/secret.h"

namespace claimsd::ctl {

// Reads `file`, or standard input for "-". One newline at the end is dropped, since editors and
// `echo` add it; everything else is the token. More than a token may be is cut where its length
// alone already refuses it. A terminal is refused: what is typed there stays in its scroll-back.
Expected<daemon::Secret> read_token(const std::string& file);

}  // namespace claimsd::ctl
