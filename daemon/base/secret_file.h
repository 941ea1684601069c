// secret_file.h: reads files that hold credentials. Blocks on the disk: not for the loop thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/base/secret.h"

namespace claimsd {

// The content of a file of at most 1 MiB, which must not be empty. The error is "cannot read PATH:
// REASON".
Result<Secret> read_secret_file(const std::string& path);

// A text without the line end that an editor adds.
std::string_view without_line_end(std::string_view text);

}  // namespace claimsd
