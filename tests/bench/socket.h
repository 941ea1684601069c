// socket.h: blocking stream sockets, as the plainest client would use them.
//
// Every call times out after kPatience, so that a hung server ends the run.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::bench {

inline constexpr std::chrono::seconds kPatience{10};

Result<Fd> connect_unix(const std::string& path);

// Both ends of a connection, made without a listener.
struct SocketPair {
  Fd ours;
  Fd theirs;
};
Result<SocketPair> socket_pair();

Status limit_waiting(int fd);

// Sends all of `bytes`.
Status send_all(int fd, std::string_view bytes);
// Returns what has arrived, at most `capacity` bytes; end of file is an error.
Result<std::size_t> receive_some(int fd, char* buffer, std::size_t capacity);
// Receives exactly `size` bytes.
Status receive_exactly(int fd, char* buffer, std::size_t size);

}  // namespace claimsd::bench
