#include "client/src/passed_fd.h"

#include <sys/socket.h>

#include <cstring>

namespace claimsd::client {
namespace {

// What does not fit is closed by the kernel.
constexpr std::size_t kMaxPassed = 4;

void take(const cmsghdr& control, OwnedFd& fd) {
  const std::size_t count = (control.cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (std::size_t i = 0; i < count; ++i) {
    int number = -1;
    std::memcpy(&number, CMSG_DATA(&control) + i * sizeof number, sizeof number);
    OwnedFd passed(number);
    if (!fd) fd = std::move(passed);
  }
}

}  // namespace

ssize_t receive_with_fd(int socket, char* bytes, std::size_t room, int flags, OwnedFd& fd) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxPassed * sizeof(int))];
  iovec part{.iov_base = bytes, .iov_len = room};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t count = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  if (count < 0) return count;
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_RIGHTS) take(*each, fd);
  }
  return count;
}

}  // namespace claimsd::client
