// loopback_socket.h: TCP listening sockets that only this host can reach. Any thread; ip(7).
#pragma once

#include <cstdint>
#include <string>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::loop {

// `address`: "127.0.0.1:9464" or "[::1]:9464"; port 0 chooses a free port. Any address outside
// 127.0.0.0/8 and ::1 is an error. Names are never resolved.
Result<Fd> listen_on_loopback(const std::string& address);

// Who can connect to a listening socket: a process of this host, through a Unix socket or the
// loopback, or any host. kNetwork also if its address cannot be read.
enum class Reach : std::uint8_t { kUnix, kLoopback, kNetwork };
Reach reach_of(int fd);

}  // namespace claimsd::loop
