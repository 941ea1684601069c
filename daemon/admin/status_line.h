// status_line.h: how a daemon is, in one line that a person understands: what `systemctl status`
// shows (STATUS= of sd_notify(3)). Pure; any thread.
#pragma once

#include <string>

#include "daemon/admin/status.h"

namespace claimsd::daemon {

// The worst of what is wrong, and what to do about it; when all is well, what it has done so far.
// Without a line end, whatever an Auth API has sent.
std::string status_line(const DaemonStatus& status);

}  // namespace claimsd::daemon
