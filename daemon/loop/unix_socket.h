// unix_socket.h: system calls for a listening Unix socket: bind, adopt, read the peer's
// credentials. Any thread; unix(7).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::loop {

// sockaddr_un holds 108 bytes with the final NUL. A longer path is an error, never truncated.
inline constexpr std::size_t kMaxSocketPath = 107;

struct ListenOptions {
  std::string path;
  mode_t mode = 0660;
  std::optional<gid_t> group;  // none: the group of the process
  int backlog = 4096;          // the kernel lowers it to net.core.somaxconn
};

// Identity of a file (stat(2)), to distinguish it from another one at the same path.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

struct BoundSocket {
  Fd fd;  // listening, non-blocking, close-on-exec
  FileIdentity file;
};

// Binds and listens. No connection is possible before mode and group are set. Removes the leftover
// socket of a crashed daemon: one owned by this user or root that refuses connections. Any other
// file at this path is an error that describes it.
Result<BoundSocket> listen_on_unix_path(const ListenOptions& options);

// Takes over a listening Unix stream socket opened by another process (sd_listen_fds(3)). Any other
// descriptor is an error.
Result<Fd> adopt_listening_socket(Fd fd);

// Removes the socket file if it is still the one that was bound.
void remove_socket_file(const std::string& path, const FileIdentity& file);

struct PeerCredentials {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;        // for logs only: a process that inherits the socket shows its opener's pid
  std::string command;  // process name, if requested (command_of)
};

// The peer as the kernel recorded it at connect time (SO_PEERCRED). An error, not a default, if no
// credentials were recorded.
Result<PeerCredentials> peer_credentials(int fd);

// Sends what the kernel accepts now. For the last words to a peer: an error changes nothing.
void send_once(int fd, std::string_view bytes);

// The name of a process (proc_pid_comm(5)). "" if it has exited or /proc is not readable. Costs
// three system calls.
std::string command_of(pid_t pid);

}  // namespace claimsd::loop
