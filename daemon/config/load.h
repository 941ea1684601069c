// load.h: the text of a configuration file to a Config, or to everything that is wrong with it.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/config/config.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::daemon {

// One option as it stands: what `claimsctl config` lists.
struct Setting {
  std::string option;  // "daemon.socket", "upstream.main.timeout"
  std::string value;   // as it would stand in the file; "(hidden)" where a password may be in it
  std::string origin;  // "/etc/claimsd/claimsd.toml:12" or "default"
  bool reloadable;
  std::string exact;  // the value itself, to compare; may hold a password: never shown
};

inline constexpr std::string_view kDefaultOrigin = "default";

struct LoadedConfig {
  Config config;
  std::vector<Setting> settings;  // every option, in the order of the table
};

// `filename` is for messages alone. The error holds all problems, one a line, in the order of the
// file, each "FILE:LINE:COLUMN: OPTION: what was found, what is allowed".
Result<LoadedConfig> load_config(std::string_view text, std::string_view filename);

}  // namespace claimsd::daemon
