// background.h: a piece of work that blocks, done on another thread while the loop goes on. For
// what happens now and then (reading a file); what happens all the time has threads of its own.
//
// The result comes back in a turn of the loop. Where the Background goes first, it comes back to
// nobody; ~Loop waits for the work to end. uv_queue_work(3).
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

class Background {
 public:
  using Work = std::function<void()>;

  explicit Background(Loop& loop) : loop_(loop), alive_(std::make_shared<bool>(true)) {}
  ~Background() { *alive_ = false; }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // `work` on another thread: what it touches must live until the Loop has gone. Then `done` on
  // the loop, never from within run().
  Status run(Work work, Work done);

 private:
  Loop& loop_;
  std::shared_ptr<bool> alive_;
};

}  // namespace claimsd::daemon
