// wait_descriptor.h: the descriptor that an event loop waits on for a stream: an epoll instance
// with a timer in it and, while there is one, the stream's socket.
//
// Applications close descriptors that are not theirs and open their own under the same numbers.
// epoll instances and timers all show one inode, so each is recognized by what is in it: the timer
// by a random interval, the epoll instance by holding that very timer. What is not recognized is
// neither changed nor closed. Every function may therefore do nothing; the stream then still works
// for a caller who asks it without waiting. One thread at a time.
#pragma once

#include <cstdint>

namespace claimsd::client {

class WaitDescriptor {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;

  WaitDescriptor() = default;
  WaitDescriptor(const WaitDescriptor&) = delete;
  WaitDescriptor& operator=(const WaitDescriptor&) = delete;
  ~WaitDescriptor() { close(); }

  // False when the process is out of descriptors.
  bool create();
  // Of the epoll instance; -1 until create().
  int fd() const { return epoll_; }

  // The socket is the caller's, and verified by the caller. False when it cannot be watched.
  bool watch(int socket);
  void unwatch(int socket);
  void want_write(int socket, bool wanted);

  // Readable from then on, by CLOCK_MONOTONIC in ns. False when the timer is not ours any more.
  bool set_timer(std::int64_t at_ns);

  void close();

 private:
  bool is_our_timer() const;
  bool is_ours() const;

  int epoll_ = -1;
  int timer_ = -1;
  std::int64_t interval_ns_ = 0;
};

}  // namespace claimsd::client
