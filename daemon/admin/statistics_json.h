// statistics_json.h: statistics since the daemon started, as JSON for claimsctl top, claimsctl
// statistics and scripts: lookups by source, calls per Auth API, activity per uid. Pure; any
// thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/status.h"
#include "daemon/base/process_usage.h"
#include "daemon/server/peer_table.h"

namespace claimsd::admin {

// Most uids listed in one response: those with the most queries.
inline constexpr std::size_t kMaxPeersShown = 100;

std::string statistics_json(const DaemonStatus& status, const ProcessUsage& process,
                            const server::PeerTable& peers);

}  // namespace claimsd::admin
