// fleet_findings.h: judges this host as a member of its fleet: whether it may lack revocations, its
// clock, its identity, and what its user of Redis may do. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/admin/health.h"

namespace claimsd::admin {

// A clock that differs more from that of Redis is reported.
inline constexpr Duration kClockMatters = seconds(2);

void assess_fleet(const FleetStatus& fleet, std::vector<Finding>& findings);

// What the fleet's user of Redis needs, and no more: a line of its ACL file.
std::string acl_line(const std::string& user, const std::string& fleet);

}  // namespace claimsd::admin
