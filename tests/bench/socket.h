// socket.h: blocking stream sockets, as the plainest client would use them.
//
// Nothing waits longer than kPatience, so that a server that hangs ends the run instead of hanging
// it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::bench {

inline constexpr std::chrono::seconds kPatience{10};

daemon::Result<daemon::Fd> connect_unix(const std::string& path);

// Both ends of a connection, without a listener between them.
struct SocketPair {
  daemon::Fd ours;
  daemon::Fd theirs;
};
daemon::Result<SocketPair> socket_pair();

daemon::Status limit_waiting(int fd);

// The whole of `bytes`.
daemon::Status send_all(int fd, std::string_view bytes);
// What has arrived, at most `capacity` bytes; an end of file is an error.
daemon::Result<std::size_t> receive_some(int fd, char* buffer, std::size_t capacity);
// Exactly `size` bytes.
daemon::Status receive_exactly(int fd, char* buffer, std::size_t size);

}  // namespace claimsd::bench
