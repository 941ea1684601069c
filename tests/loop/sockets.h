// sockets.h: plain blocking peers for the loop's tests.
#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

#include "daemon/base/fd.h"
#include "tests/support/catch.h"

namespace claimsd::test {

// The daemon's main() ignores SIGPIPE. A test that writes to a closed peer must do the same.
inline void ignore_sigpipe() {
  signal(SIGPIPE, SIG_IGN);
}

struct SocketPair {
  Fd ours;    // non-blocking
  Fd theirs;  // blocking
};

inline SocketPair socket_pair() {
  int fds[2] = {-1, -1};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
  SocketPair pair{Fd(fds[0]), Fd(fds[1])};
  return pair;
}

inline void send_all(const Fd& fd, const std::string& text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

inline Fd connect_to(const std::string& path) {
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fd.reset();
  return fd;
}

}  // namespace claimsd::test
