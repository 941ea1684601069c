// loopback_socket.h: a listening TCP socket that nobody outside of this host can reach. Any thread;
// ip(7).
#pragma once

#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::daemon {

// `address`: "127.0.0.1:9464" or "[::1]:9464"; port 0: one that is free. Refuses whatever is not in
// 127.0.0.0/8 or ::1; never looks a name up.
Result<Fd> listen_on_loopback(const std::string& address);

}  // namespace claimsd::daemon
