// read_file.h: the one place of this folder that touches the system. Any thread; blocks on the
// disk, so not for the loop.
#pragma once

#include <filesystem>
#include <string>

#include "daemon/base/result.h"

namespace claimsd::daemon {

// The whole file, at most kMaxConfigBytes (toml_reader.h). The error names the file, what failed
// and what to do.
Result<std::string> read_config_file(const std::filesystem::path& path);

}  // namespace claimsd::daemon
