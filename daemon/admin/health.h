// health.h: derives the health of a daemon from its status, in words. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/status.h"

namespace claimsd::admin {

// Consecutive failures before an Auth API counts as failing. A single one may be transient.
inline constexpr std::uint64_t kFailingAfter = 2;
// The number of consecutive confirmations that must forbid caching before it is a finding.
inline constexpr std::uint64_t kUncacheableAfter = 3;

// How long a record that the audit log could not take is reported: it may have been one burst.
inline constexpr Duration kOverflowMatters = seconds(60);

// How long lost records, and a clock that may lose some, are reported.
inline constexpr Duration kAuditLossMatters = std::chrono::hours(24);

// The same for a failure of the claims cache: its file system may have been full for a moment.
inline constexpr Duration kCacheErrorMatters = seconds(60);

// How long a connection limit that rejected a connection is reported.
inline constexpr Duration kRefusalMatters = seconds(60);

// Share of audit.max_bytes above which the size of the audit log is reported: retention by size deletes
// the oldest segment next.
inline constexpr double kAuditNearlyFull = 0.9;

// A revocation that is not on disk is reported after this long, or at once if the disk has failed.
inline constexpr Duration kUnwrittenMatters = seconds(5);

struct Finding {
  std::string code;     // for programs: "upstream_failing"
  std::string message;  // what is wrong
  std::string hint;     // what to do about it
  bool blocks = false;  // queries cannot be answered: the daemon is not ready
};

// "ok", "failing", or "unknown" before the first request.
std::string_view upstream_state(const UpstreamStatus& upstream);

// Everything an operator should know, most severe first; empty if healthy.
std::vector<Finding> assess(const DaemonStatus& status);

}  // namespace claimsd::admin
