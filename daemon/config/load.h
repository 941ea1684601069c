// load.h: turns the text of a configuration file into a Config, or into a list of all its problems.
// Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/config/config.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::config {

// One option as listed by `claimsctl config`.
struct Setting {
  std::string option;  // "daemon.socket", "upstream.main.timeout"
  std::string value;   // as written in a file; contains no password
  std::string origin;  // "/etc/claimsd/claimsd.toml:12" or "default"
  bool reloadable;
  std::string exact;  // canonical value for comparison
};

inline constexpr std::string_view kDefaultOrigin = "default";

struct LoadedConfig {
  Config config;
  std::vector<Setting> settings;  // every option, in the order of the table
};

// A file and its content.
struct ConfigText {
  std::string name;  // for messages
  std::string text;
};

// Whether a configuration without the URL of an Auth API is an error.
enum class Urls : bool { kRequired, kOptional };

// The configuration file, then its drop-ins in their order: an option of a later one replaces that of
// an earlier one.
Result<LoadedConfig> load_config(std::span<const ConfigText> files, Urls urls = Urls::kRequired);

// One file. `filename` is used in messages only. The error lists all problems, one per line, in the order of
// the file: "FILE:LINE:COLUMN: OPTION: what was found, what is allowed".
Result<LoadedConfig> load_config(std::string_view text, std::string_view filename);

}  // namespace claimsd::config
