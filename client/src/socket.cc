#include "client/src/socket.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cstddef>
#include <cstring>

#include "client/include/claimsd.h"

namespace claimsd::client {
namespace {

// What the kernel shows for any uid that this user namespace does not map: two of them need not be
// the same user.
constexpr uid_t kOverflowUid = 65534;

Outcome outcome_of_socket_error(int error) {
  switch (error) {
    case EACCES:
    case EPERM: return final_outcome(Reason::kNotPermitted);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS: return final_outcome(Reason::kNoResources);
    case EAGAIN: return kBusy;
    default: return kAbsent;  // ENOENT, ECONNREFUSED, ENOTDIR, ELOOP: no socket or no listener
  }
}

Outcome check_peer(const DaemonAddress& address, int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || !address.trusts(peer.uid)) {
    return final_outcome(Reason::kWrongDaemon);
  }
  return address.is_protected(peer.uid) ? kDone : final_outcome(Reason::kUnsafeDirectory);
}

// `fd` has been connected.
Outcome check_and_keep(const DaemonAddress& address, OwnedFd fd, OwnedFd& out) {
  const Outcome checked = check_peer(address, fd.get());
  if (checked.done()) out = std::move(fd);
  return checked;
}

int connect_to(const DaemonAddress& address, const OwnedFd& fd) {
  return connect(fd.get(), address.data(), address.size());
}

}  // namespace

bool DaemonAddress::set(const char* path, std::uint32_t daemon_uid) {
  const std::size_t length = std::strlen(path);
  if (length == 0 || length >= sizeof address_.sun_path) return false;
  address_ = {};
  address_.sun_family = AF_UNIX;
  std::memcpy(address_.sun_path, path, length + 1);
  size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length + 1);
  daemon_uid_ = daemon_uid;

  std::memcpy(directory_, path, length + 1);
  char* const slash = std::strrchr(directory_, '/');
  if (slash == nullptr) {
    std::memcpy(directory_, ".", 2);
  } else {
    slash[slash == directory_ ? 1 : 0] = '\0';
  }
  return true;
}

bool DaemonAddress::trusts(uid_t uid) const {
  if (uid == 0) return true;
  if (daemon_uid_ != CLAIMSD_ANY_TRUSTED_UID) return uid == daemon_uid_;
  struct stat directory {};
  return uid != kOverflowUid && stat(directory_, &directory) == 0 && directory.st_uid == uid;
}

bool DaemonAddress::is_protected(uid_t daemon_uid) const {
  struct stat directory {};
  if (stat(directory_, &directory) != 0 || (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return false;  // an access control list shows as the group's bits: acl(5)
  }
  const uid_t owner = directory.st_uid;
  return owner == 0 || owner == daemon_uid || owner == daemon_uid_;
}

Outcome connect_blocking(const DaemonAddress& address, Deadline deadline, std::uint32_t& timeout_ms,
                         OwnedFd& out) {
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return outcome_of_socket_error(errno);
  // A signal ends the wait for a full backlog, whose next attempt would have the whole timeout
  // again.
  do {
    timeout_ms = deadline.slice_ms(deadline.remaining_ms());
    if (timeout_ms == 0) return over(deadline);
    if (!fd.still_ours() || !set_socket_timeout(fd.get(), timeout_ms)) return kLost;
    if (connect_to(address, fd) == 0) return check_and_keep(address, std::move(fd), out);
  } while (errno == EINTR || errno == EAGAIN);
  return outcome_of_socket_error(errno);
}

Outcome connect_nonblocking(const DaemonAddress& address, OwnedFd& out) {
  OwnedFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return outcome_of_socket_error(errno);
  int result = 0;
  do {
    result = connect_to(address, fd);
  } while (result != 0 && errno == EINTR && fd.still_ours());
  if (result != 0) return outcome_of_socket_error(errno);
  return check_and_keep(address, std::move(fd), out);
}

bool set_socket_timeout(int fd, std::uint32_t milliseconds) {
  const timeval timeout = {.tv_sec = static_cast<time_t>(milliseconds / 1000),
                           .tv_usec = static_cast<suseconds_t>(milliseconds % 1000 * 1000)};
  return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
         setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0;
}

}  // namespace claimsd::client
