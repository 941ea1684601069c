// async.h: wakes a loop from another thread. Rules of lifetime and thread: loop.h; notify() may be
// called from any thread.
//
// Several notify() before the loop gets round to it are one callback. The owner sees to it that
// nobody notifies an Async that is being destroyed; MessageQueue does.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

class Async {
 public:
  using Callback = std::function<void()>;

  // Fails when no descriptor is left for the loop's event fd.
  static Result<Async> create(Loop& loop, Callback callback);

  void notify();

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  explicit Async(std::unique_ptr<Block, Close> block);
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::daemon
