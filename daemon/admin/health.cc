#include "daemon/admin/health.h"

#include <fmt/format.h>

#include <algorithm>

namespace claimsd::daemon {
namespace {

Finding failing(const UpstreamStatus& upstream) {
  return {"upstream_failing",
          fmt::format("the Auth API \"{}\" ({}) failed {} times in a row, the last time with: {}",
                      upstream.name, upstream.url, upstream.consecutive_failures,
                      upstream.last_failure.empty() ? "no reason given" : upstream.last_failure),
          "known tokens are still answered; check the Auth API, its URL, DNS, certificate and the "
          "network between"};
}

bool full(std::uint64_t used, std::uint64_t capacity) {
  return capacity != 0 && used >= capacity;
}

}  // namespace

std::string_view upstream_state(const UpstreamStatus& upstream) {
  if (upstream.consecutive_failures >= kFailingAfter) return "failing";
  return upstream.requests == 0 ? "unknown" : "ok";
}

std::vector<Finding> assess(const DaemonStatus& status) {
  std::vector<Finding> findings;
  if (status.stopping) {
    findings.push_back({"stopping", "the daemon is stopping and takes no new questions",
                        "wait for it to come back; if it does not, see its log", true});
  }
  if (full(status.connections, status.max_connections)) {
    findings.push_back({"connections_full",
                        fmt::format("all {} connections are taken: new clients are turned away",
                                    status.max_connections),
                        "find the client that keeps so many open, or raise max_connections", true});
  }
  if (full(status.revocations, status.max_revocations)) {
    findings.push_back({"revocations_full",
                        fmt::format("all {} places for revocations are taken: another one is "
                                    "refused",
                                    status.max_revocations),
                        "raise revocations.max_entries"});
  }
  for (const auto& upstream : status.upstreams) {
    if (upstream_state(upstream) == "failing") findings.push_back(failing(upstream));
  }
  return findings;
}

}  // namespace claimsd::daemon
