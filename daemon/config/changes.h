// changes.h: what a reload would change: two loaded configurations, option by option. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/config/load.h"

namespace claimsd::daemon {

// One option that stands differently.
struct Change {
  std::string option;  // "cache.max_ttl"
  std::string from;    // as Setting::value: never a secret
  std::string to;
  std::string origin;  // where the new value stands
};

enum class ReloadOutcome : std::uint8_t {
  kDone,          // all of it is in effect
  kBad,           // the file is no configuration, or cannot be put in effect: nothing has changed
  kNeedsRestart,  // it changes what a running daemon cannot: nothing has changed
  kStopping,      // too late
};

struct ReloadResult {
  ReloadOutcome outcome = ReloadOutcome::kDone;
  std::string message;          // unless kDone: why, one reason a line
  std::vector<Change> changes;  // with kDone
};

// Called once, later.
using ReloadDone = std::function<void(const ReloadResult&)>;

// By value, not by spelling: "60s" and "1m" are the same. Fails where an option differs that a
// running daemon cannot change, or an upstream comes or goes: the message names each, one a line,
// with its place in the file.
Result<std::vector<Change>> compare(const LoadedConfig& running, const LoadedConfig& fresh);

}  // namespace claimsd::daemon
