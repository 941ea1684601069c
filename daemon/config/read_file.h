// read_file.h: reads the configuration file and its drop-ins: the only I/O in this directory. Any thread; blocks on
// the disk, so not on the loop.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/base/result.h"
#include "daemon/config/load.h"

namespace claimsd::config {

// The whole file, at most kMaxConfigBytes (toml_reader.h). The error names the file, what failed
// and the fix.
Result<std::string> read_config_file(const std::filesystem::path& path);

// Reads and loads `path` and the drop-ins beside it: conf.d/*.toml, in the order of their names.
Result<LoadedConfig> load_config_files(const std::filesystem::path& path,
                                       Urls urls = Urls::kRequired);

// The option to set if that is all that these files lack: "upstream.main.url". None if they set a URL,
// or have another fault.
std::optional<std::string> missing_url(const std::filesystem::path& path);

}  // namespace claimsd::config
