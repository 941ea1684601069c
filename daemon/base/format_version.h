// format_version.h: how messages name a state file that another version wrote. Pure; any thread.
#pragma once

#include <fmt/core.h>

#include <string>

namespace claimsd {

// To follow the name of the file.
inline std::string other_format(unsigned found, unsigned needed) {
  return fmt::format("has format version {}, but this claimsd needs {}", found, needed);
}

}  // namespace claimsd
