// poll.h: says when a descriptor that somebody else owns can be read or written: curl's sockets,
// libmicrohttpd's epoll. Rules of lifetime and thread: loop.h.
//
// Level-triggered. The descriptor must be non-blocking and stay open while the Poll is started;
// stop() or destroy it *before* closing the descriptor. A stopped Poll may be started again, even
// when its number has become another file since.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

struct PollEvents {
  bool readable = false;
  bool writable = false;
  // 0, or what libuv reports of a descriptor in trouble (POLLERR arrives as UV_EBADF). The Poll has
  // stopped itself then.
  int error = 0;
};

class Poll {
 public:
  using Callback = std::function<void(const PollEvents&)>;

  // Fails for what cannot be polled: a closed descriptor, a regular file.
  static Result<Poll> create(Loop& loop, int fd, Callback callback);

  // Replaces what it was started for. At least one of the two.
  Status start(bool readable, bool writable);
  void stop();

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit Poll(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::daemon
