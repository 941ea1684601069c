// signal_watcher.h: calls back on the loop when the process gets a signal. Rules of lifetime and
// thread: loop.h.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

class SignalWatcher {
 public:
  using Callback = std::function<void(int signal_number)>;

  static Result<SignalWatcher> create(Loop& loop, int signal_number, Callback callback);

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit SignalWatcher(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

// SIGTERM and SIGINT no longer reach this process: for when it is being taken down in order, and
// asking once more must not cut that short.
void block_stop_signals();

}  // namespace claimsd::daemon
