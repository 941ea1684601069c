// token_input.h: reads a token from standard input or a file, and the host key. Never from an argument or the
// environment, which other processes can read. All buffers are wiped.
#pragma once

#include <optional>
#include <string>

#include "client/claimsctl/problem.h"
#include "daemon/base/secret.h"

namespace claimsd::claimsctl {

// Reads `file`, or standard input for "-". Drops one trailing newline, which editors and `echo`
// add. Over-long input is truncated, but stays long enough to be rejected. Refuses a terminal,
// because its scrollback would keep the token.
Expected<Secret> read_token(const std::string& file);

// Reads the host key, whose random bytes may end like a line. None if the file is not readable or
// not of the size of a key.
std::optional<Secret> read_host_key(const std::string& file);

}  // namespace claimsd::claimsctl
