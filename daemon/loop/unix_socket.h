// unix_socket.h: the system calls behind a listening Unix socket: bind, take over, look at the
// peer. Any thread; unix(7).
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "daemon/base/fd.h"
#include "daemon/base/result.h"

namespace claimsd::daemon {

// sockaddr_un holds 108 bytes with the final NUL. Longer paths are refused, never truncated.
inline constexpr std::size_t kMaxSocketPath = 107;

struct ListenOptions {
  std::string path;
  mode_t mode = 0660;
  std::optional<gid_t> group;  // none: as the process has it
  int backlog = 4096;          // the kernel lowers it to net.core.somaxconn
};

// A file in the file system, as stat(2) tells it from another one of the same name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

struct BoundSocket {
  Fd fd;  // listening, non-blocking, close-on-exec
  FileIdentity file;
};

// Binds and listens. Nobody can connect before mode and group are set. What a crashed daemon left
// behind is removed: a socket that belongs to this user or root and refuses connections. Anything
// else in the way is an error that says what it is.
Result<BoundSocket> listen_on_unix_path(const ListenOptions& options);

// Takes over a listening Unix stream socket that somebody else opened (sd_listen_fds(3)); refuses
// anything else.
Result<Fd> adopt_listening_socket(Fd fd);

// Removes the socket file if it is still the one that was bound.
void remove_socket_file(const std::string& path, const FileIdentity& file);

struct PeerCredentials {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;        // for logs; never to decide by (an inherited socket keeps its opener's)
  std::string command;  // its name, where somebody has asked for it (command_of)
};

// Who connected, as the kernel recorded it then (SO_PEERCRED). An error, not a default, where it
// does not say.
Result<PeerCredentials> peer_credentials(int fd);

// The name of a process: proc_pid_comm(5). "" where it is gone or /proc is not ours to read. Three
// system calls: for the audit log, when a worker connects.
std::string command_of(pid_t pid);

}  // namespace claimsd::daemon
