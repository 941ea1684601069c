// boot_id.h: identifies the current boot of the host (random(4)). Call at start: reads a file in
// /proc.
#pragma once

#include <fmt/core.h>

#include <fstream>
#include <string>

#include "daemon/base/result.h"

namespace claimsd {

inline Result<std::string> read_boot_id() {
  constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";  // random(4)
  std::string id;
  std::ifstream file(kPath);
  if (!std::getline(file, id) || id.empty()) {
    return failure(fmt::format(
        "cannot read {}: the cache must know which boot it belongs to: mount /proc", kPath));
  }
  return id;
}

}  // namespace claimsd
