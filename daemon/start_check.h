// start_check.h: whether a start with this configuration would succeed: files that the daemon's user
// can read, directories that it may use, a port that is free. Changes nothing. Part of the
// composition root; blocks on the file system; any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace claimsd::daemon {

// The files that systemd would pass as credentials and that no credential store has. Needs the
// rights of the user who may read the stores, so call it before become_user().
std::vector<std::string> missing_credentials(const config::Config& config);

// What the user of this process lacks to start the daemon, one fault a line, each with its fix.
// Credentials under /run/credentials are looked for by missing_credentials().
std::vector<std::string> check_start(const config::Config& config);

// Takes on the identity of `user` for good. A process of root only.
Status become_user(const std::string& user);

}  // namespace claimsd::daemon
