// changes.h: what a reload would change: compares two loaded configurations option by option. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "daemon/config/load.h"

namespace claimsd::config {

// One option whose value differs.
struct Change {
  std::string option;  // "cache.max_ttl"
  std::string from;    // as Setting::value; never contains a password
  std::string to;
  std::string origin;  // place of the new value in the file
};

enum class ReloadOutcome : std::uint8_t {
  kDone,          // everything is in effect
  kBad,           // unreadable, invalid or failed to apply: nothing has changed
  kNeedsRestart,  // changes an option that needs a restart: nothing has changed
  kStopping,      // the daemon is stopping
};

struct ReloadResult {
  ReloadOutcome outcome = ReloadOutcome::kDone;
  std::string message;          // the reasons, one per line; empty with kDone
  std::vector<Change> changes;  // only with kDone
};

// Called once, later.
using ReloadDone = std::function<void(const ReloadResult&)>;

// Compares values, not spelling: "60s" equals "1m". Fails if an upstream was added or removed, or
// if an option changed that needs a restart. The error names each one and its place in the file,
// one per line.
Result<std::vector<Change>> compare(const LoadedConfig& running, const LoadedConfig& fresh);

}  // namespace claimsd::config
