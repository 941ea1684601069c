// loopback_socket.h: opens a TCP listening socket that only this host can reach. Any thread; ip(7).
#pragma once

#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::loop {

// `address`: "127.0.0.1:9464" or "[::1]:9464"; port 0 chooses a free port. Any address outside
// 127.0.0.0/8 and ::1 is an error. Names are never resolved.
Result<Fd> listen_on_loopback(const std::string& address);

}  // namespace claimsd::loop
