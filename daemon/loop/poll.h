// poll.h: reports when a descriptor owned elsewhere is readable or writable: curl's sockets,
// libmicrohttpd's epoll. Lifetime and threads: loop.h.
//
// Level-triggered. The descriptor must be non-blocking and stay open while the Poll is started.
// Stop or destroy the Poll *before* closing the descriptor. A stopped Poll may be started again,
// even if its descriptor number now refers to another file.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

struct PollEvents {
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  // see watch_hang_up()
  // 0, or libuv's error for this descriptor (POLLERR is reported as UV_EBADF). The Poll has then
  // stopped.
  int error = 0;
};

class Poll {
 public:
  using Callback = std::function<void(const PollEvents&)>;

  // Fails for a descriptor that cannot be polled: a closed one or a regular file.
  static Result<Poll> create(Loop& loop, int fd, Callback callback);

  // Replaces the previous events. At least one must be set.
  Status start(bool readable, bool writable);
  // Instead: reports when both directions of a stream socket are closed (POLLHUP, poll(2)). A peer
  // that only finished sending is not reported.
  Status watch_hang_up();
  void stop();

 private:
  Status start(int events);
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit Poll(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::loop
