// owned_fd.h: a descriptor in a process that is not ours.
//
// Applications close every descriptor above 2, and the number may then be theirs. So this remembers
// which file it opened (device and inode; each socket has its own inode) and neither closes the
// number nor lets anything be sent on it once it shows another file. Not for anonymous files
// (epoll, timerfd), which share one inode: see wait_descriptor.h.
//
// Descriptors 0 to 2 are never kept: an application that has closed them may still write to them.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace claimsd::client {

// The same file, just opened, under a number of 3 or more. -1, with errno set, when `fd` is -1 or
// no number is left.
inline int above_standard(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  ::close(fd);
  errno = error;
  return moved;
}

class OwnedFd {
 public:
  OwnedFd() = default;
  // Takes over what a system call has just returned.
  explicit OwnedFd(int fd) : fd_(above_standard(fd)) {
    struct stat file {};
    if (fd_ >= 0 && fstat(fd_, &file) == 0) {
      device_ = file.st_dev;
      inode_ = file.st_ino;
    }
  }
  OwnedFd(OwnedFd&& other) noexcept
      : device_(other.device_), inode_(other.inode_), fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      close();
      device_ = other.device_;
      inode_ = other.inode_;
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  bool still_ours() const {
    struct stat file {};
    return fd_ >= 0 && fstat(fd_, &file) == 0 && file.st_dev == device_ && file.st_ino == inode_;
  }

  void close() {
    // Never shutdown(): a forked child closes its copy, and the parent goes on using the socket.
    if (still_ours()) ::close(fd_);
    fd_ = -1;
  }

 private:
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int fd_ = -1;
};

}  // namespace claimsd::client
