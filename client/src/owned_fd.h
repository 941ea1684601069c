// owned_fd.h: a descriptor in a process that is not ours.
//
// Applications close every descriptor above 2, and the number may then be theirs. So this remembers
// which file it opened (device and inode; each socket has its own inode) and neither closes the
// number nor lets anything be sent on it once it shows another file. Anonymous files (epoll,
// timerfd) share one inode: for those the check tells only that it is still an anonymous file.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace claimsd::client_impl {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {
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

}  // namespace claimsd::client_impl
