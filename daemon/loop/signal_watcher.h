// signal_watcher.h: calls back on the loop when the process receives a signal. Lifetime and
// threads: loop.h.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

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

// Blocks SIGTERM and SIGINT for this process. Used during an orderly shutdown, which a second
// signal must not interrupt.
void block_stop_signals();

}  // namespace claimsd::loop
