// health.h: what is wrong with a daemon, in words, judged from its status alone. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/status.h"

namespace claimsd::daemon {

// How many failures in a row make an Auth API count as failing: one may be a hiccup that nobody
// noticed.
inline constexpr std::uint64_t kFailingAfter = 2;

// For so long an audit log that had no room for a record is trouble: it may have been one burst.
inline constexpr Duration kOverflowMatters = seconds(60);

// The same of a claims cache that failed: its file system may have been full for a moment.
inline constexpr Duration kCacheTroubleMatters = seconds(60);

struct Finding {
  std::string code;     // for programs: "upstream_failing"
  std::string message;  // what is wrong
  std::string hint;     // what to do about it
  bool blocks = false;  // new questions cannot be taken: the daemon is not ready
};

// "ok", "failing", or "unknown" before the first request.
std::string_view upstream_state(const UpstreamStatus& upstream);

// Everything that an operator should know, the worst first; empty when all is well.
std::vector<Finding> assess(const DaemonStatus& status);

}  // namespace claimsd::daemon
