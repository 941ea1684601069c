// statistics_json.h: what was counted since the daemon started, for claimsctl top and statistics
// and for scripts: lookups by source, what each Auth API did, who asks how much. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/status.h"
#include "daemon/base/process_usage.h"
#include "daemon/server/peer_table.h"

namespace claimsd::daemon {

// User ids in one answer: those that asked the most.
inline constexpr std::size_t kMostPeersShown = 100;

std::string statistics_json(const DaemonStatus& status, const ProcessUsage& process,
                            const PeerTable& peers);

}  // namespace claimsd::daemon
