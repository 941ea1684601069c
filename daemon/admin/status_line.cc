#include "daemon/admin/status_line.h"

#include <fmt/core.h>

#include "daemon/admin/health.h"
#include "daemon/base/printable.h"

namespace claimsd::admin {
namespace {

constexpr std::size_t kMaxLine = 400;  // fits `systemctl status` on a wide screen without a pager

std::string known_share(const DaemonStatus& status) {
  const std::uint64_t by_workers = status.server_counters.worker_hits;
  const std::uint64_t lookups = status.counters.queries + by_workers;
  const std::uint64_t hits = status.counters.cache_hits + by_workers;
  if (lookups == 0) return "no lookups yet";
  return fmt::format("{} lookups, {:.1f} % from a cache", lookups,
                     100.0 * static_cast<double>(hits) / static_cast<double>(lookups));
}

}  // namespace

std::string status_line(const DaemonStatus& status) {
  if (status.stopping) return fmt::format("Stopping: {} queries to answer first", status.waiting);
  const std::vector<Finding> findings = assess(status);
  if (!findings.empty()) {
    const std::string more =
        findings.size() > 1 ? fmt::format(" ({} more: claimsctl status)", findings.size() - 1) : "";
    return std::string(printable(
        fmt::format("Degraded: {}; {}{}", findings.front().message, findings.front().hint, more),
        kMaxLine));
  }
  return fmt::format("Healthy: {}; {} connections, {} cached entries", known_share(status),
                     status.connections, status.entries);
}

}  // namespace claimsd::admin
