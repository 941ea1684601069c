// status_line.h: the daemon's health in one line, as shown by `systemctl status` (STATUS= of
// sd_notify(3)). Pure; any thread.
#pragma once

#include <string>

#include "daemon/admin/status.h"

namespace claimsd::admin {

// The most severe finding and its fix, or a summary of activity if healthy. Contains no line break,
// even if an Auth API sent one.
std::string status_line(const DaemonStatus& status);

}  // namespace claimsd::admin
