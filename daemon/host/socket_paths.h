// socket_paths.h: notices when the path of a listening socket no longer leads to it, because someone
// removed or replaced the file or its directory. The daemon still serves the connections that it has,
// but no new client reaches it.
//
// A path is compared once a second with the file that was there when the socket was added
// (unix(7): a socket file has no link to its socket that lstat(2) shows). Loop thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/base/fd.h"
#include "daemon/host/service_manager.h"
#include "daemon/log/log.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::host {

struct SocketPath {
  std::string name;        // "claims", "admin", "http"
  std::string path;        // of the file
  bool inherited = false;  // the service manager holds the socket: a restart of the daemon keeps it
  std::optional<loop::FileIdentity> file;  // when the socket was added; none: it was not there
  bool lost = false;
};

class SocketPaths {
 public:
  // Adds the inherited sockets that have a path. Call before they are taken.
  void add_inherited(const std::vector<InheritedSocket>& sockets);
  // A socket that the daemon listens on itself; a socket of that name that was inherited wins.
  void add_own(std::string_view name, const std::string& path);

  // Checks now, and once a second from here on. Logs `socket_lost` and `socket_found`.
  Status watch(loop::Loop& loop, Log& log);

  // A daemon that stops removes its own files.
  void stop() {
    if (timer_) timer_->stop();
  }

  const std::vector<SocketPath>& all() const { return paths_; }
  // Compares each path with its file.
  void check();

 private:
  void add(std::string_view name, const std::string& path, bool inherited);

  std::vector<SocketPath> paths_;
  Log* log_ = nullptr;
  std::optional<loop::TimerFd> timer_;
};

// What restores the paths, as a command.
std::string fix_for_lost(const SocketPath& lost);

}  // namespace claimsd::host
