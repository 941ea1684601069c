// tcp_listeners.h: who listens on a TCP port of this host, from /proc/net/tcp (proc_net(5)).
// Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace claimsd::host {

// `address`: "127.0.0.1:9464" or "[::1]:9464". The uid of a socket that listens on its port, on any
// address; none if there is no such socket.
std::optional<std::uint32_t> uid_listening_on(const std::string& address);

}  // namespace claimsd::host
