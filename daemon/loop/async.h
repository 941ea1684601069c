// async.h: wakes a loop from another thread. Lifetime and threads: loop.h; notify() may be called
// from any thread.
//
// Several notify() calls before the loop handles them result in one callback. The owner must ensure
// that no thread calls notify() during destruction; MessageQueue does.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

class Async {
 public:
  using Callback = std::function<void()>;

  // Fails when no descriptor is left for the eventfd.
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

}  // namespace claimsd::loop
