#include "daemon/host/socket_paths.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>

namespace claimsd::host {
namespace {

constexpr Duration kCheckInterval = seconds(1);

// "" for a socket without a path: getsockname(2), unix(7).
std::string path_of(const Fd& fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      address.sun_family != AF_UNIX || size <= offsetof(sockaddr_un, sun_path))
    return "";
  return address.sun_path;
}

std::optional<loop::FileIdentity> socket_at(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return std::nullopt;
  return loop::FileIdentity{found.st_dev, found.st_ino};
}

}  // namespace

void SocketPaths::add(std::string_view name, const std::string& path, bool inherited) {
  const bool known = std::any_of(paths_.begin(), paths_.end(),
                                 [&](const SocketPath& one) { return one.name == name; });
  if (path.empty() || known) return;
  paths_.push_back(
      {.name = std::string(name), .path = path, .inherited = inherited, .file = socket_at(path)});
}

void SocketPaths::add_inherited(const std::vector<InheritedSocket>& sockets) {
  for (const InheritedSocket& one : sockets) add(one.name, path_of(one.fd), true);
}

void SocketPaths::add_own(std::string_view name, const std::string& path) {
  add(name, path, false);
}

Status SocketPaths::watch(loop::Loop& loop, Log& log) {
  log_ = &log;
  timer_ = TRY(loop::TimerFd::create(loop, [this] { check(); }));
  timer_->start(kCheckInterval, kCheckInterval);
  check();
  return {};
}

void SocketPaths::check() {
  for (SocketPath& one : paths_) {
    const std::optional<loop::FileIdentity> now = socket_at(one.path);
    const bool lost = !now || now != one.file;
    if (lost == one.lost) continue;
    one.lost = lost;
    if (log_ == nullptr) continue;
    if (lost) {
      log_->error("socket_lost",
                  "{} no longer leads to the {} socket of this daemon: new clients get no_daemon; "
                  "{}",
                  one.path, one.name, fix_for_lost(one));
    } else {
      log_->info("socket_found", "{} leads to this daemon again", one.path);
    }
  }
}

// Not restart: systemd refuses to restart a socket while its service runs.
std::string fix_for_lost(const SocketPath& lost) {
  if (!lost.inherited) return "systemctl restart claimsd";
  const std::string units = fmt::format("claimsd.socket claimsd-admin.socket{} claimsd",
                                        lost.name == "http" ? " claimsd-http.socket" : "");
  return fmt::format("systemctl stop {0} && systemctl start {0}", units);
}

}  // namespace claimsd::host
