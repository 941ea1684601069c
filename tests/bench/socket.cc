#include "tests/bench/socket.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace claimsd::bench {

using daemon::failure;
using daemon::Fd;
using daemon::Result;
using daemon::Status;

Status limit_waiting(int fd) {
  const timeval limit{.tv_sec = kPatience.count(), .tv_usec = 0};
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
      ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
    return failure(fmt::format("cannot set the timeouts of a socket: {}", std::strerror(errno)));
  }
  return {};
}

Result<Fd> connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return failure(
        fmt::format("socket path {} is longer than 107 bytes: set TMPDIR to a shorter one", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failure(fmt::format("cannot connect to {}: {}", path, std::strerror(errno)));
  }
  TRY(limit_waiting(fd.get()));
  return fd;
}

Result<SocketPair> socket_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return failure(fmt::format("cannot create a socket pair: {}", std::strerror(errno)));
  }
  SocketPair pair{Fd(fds[0]), Fd(fds[1])};
  TRY(limit_waiting(pair.ours.get()));
  return pair;
}

Status send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return failure(fmt::format("cannot send a query: {}", std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::size_t> receive_some(int fd, char* buffer, std::size_t capacity) {
  const ssize_t got = ::recv(fd, buffer, capacity, 0);
  if (got < 0) return failure(fmt::format("cannot receive an answer: {}", std::strerror(errno)));
  if (got == 0) return failure("cannot receive an answer: the server closed the connection");
  return static_cast<std::size_t>(got);
}

Status receive_exactly(int fd, char* buffer, std::size_t size) {
  for (std::size_t have = 0; have < size;)
    have += TRY(receive_some(fd, buffer + have, size - have));
  return {};
}

}  // namespace claimsd::bench
