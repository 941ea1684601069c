// socket.h: a connected Unix socket to a daemon that may be trusted with tokens.
//
// The listening process is checked by SO_PEERCRED before a byte is sent: it must run as root (which
// is also what systemd's socket activation shows), as the configured uid or, where none is
// configured, as the owner of the directory that contains the socket. Only root and the daemon's
// user may be able to write to that directory: any other could put a socket of its own there. No
// NSS lookups. Sources: unix(7), socket(7). Any thread.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include "client/src/deadline.h"
#include "client/src/outcome.h"
#include "client/src/owned_fd.h"

namespace claimsd::client_impl {

class DaemonAddress {
 public:
  // False for an empty path or one that a socket address cannot hold (107 bytes).
  bool set(const char* path, std::uint32_t daemon_uid);

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return size_; }
  bool trusts(uid_t uid) const;
  // Whether only root and the daemon's user can write to the socket's directory.
  bool is_protected(uid_t daemon_uid) const;

 private:
  sockaddr_un address_{};
  socklen_t size_ = 0;
  std::uint32_t daemon_uid_ = 0;
  char directory_[sizeof sockaddr_un::sun_path]{};
};

// Connects, waiting for a full backlog until the deadline. `out` is a blocking socket whose
// timeouts have been set to `timeout_ms`, what remained of the deadline at the last attempt.
Outcome connect_blocking(const DaemonAddress& address, Deadline deadline, std::uint32_t& timeout_ms,
                         OwnedFd& out);

// Connects without waiting: kBusy if the backlog is full. `out` is a nonblocking socket.
Outcome connect_nonblocking(const DaemonAddress& address, OwnedFd& out);

// Both directions. More than zero: zero would mean for ever.
bool set_socket_timeout(int fd, std::uint32_t milliseconds);

}  // namespace claimsd::client_impl
