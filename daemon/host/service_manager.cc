#include "daemon/host/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "daemon/base/parse_integer.h"

namespace claimsd::host {
namespace {

constexpr int kFirstInheritedFd = 3;
constexpr int kMaxInheritedFds = 64;

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  unsetenv(name);  // not meant for our children
  return taken;
}

}  // namespace

std::vector<InheritedSocket> take_inherited_sockets() {
  const std::string pid = take_variable("LISTEN_PID");
  const std::string count_text = take_variable("LISTEN_FDS");
  std::string names = take_variable("LISTEN_FDNAMES");
  std::vector<InheritedSocket> sockets;
  if (parse_integer<long>(pid) != static_cast<long>(getpid())) return sockets;
  const long count = parse_integer<long>(count_text).value_or(0);
  for (int i = 0; i < count && i < kMaxInheritedFds; ++i) {
    const std::size_t colon = names.find(':');
    InheritedSocket socket{.name = names.substr(0, colon), .fd = Fd(kFirstInheritedFd + i)};
    names = colon == std::string::npos ? "" : names.substr(colon + 1);
    fcntl(socket.fd.get(), F_SETFD, FD_CLOEXEC);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  manager.socket_path_ = take_variable("NOTIFY_SOCKET");
  // sd_watchdog_enabled(3): without WATCHDOG_PID it applies to any process that has the variable.
  const std::string pid = take_variable("WATCHDOG_PID");
  const std::optional<long> microseconds = parse_integer<long>(take_variable("WATCHDOG_USEC"));
  const bool ours = pid.empty() || parse_integer<long>(pid) == static_cast<long>(getpid());
  if (ours && microseconds && *microseconds > 0)
    manager.watchdog_ = std::chrono::microseconds(*microseconds);
  return manager;
}

void ServiceManager::notify_with(std::string_view state, int descriptor) const {
  sockaddr_un address{};
  if (socket_path_.empty() || socket_path_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return;
  iovec text{.iov_base = const_cast<char*>(state.data()), .iov_len = state.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_path_.size());
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  // Errors are ignored, as sd_notify(3) recommends.
  static_cast<void>(sendmsg(fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT));
}

}  // namespace claimsd::host
