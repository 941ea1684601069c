// background.h: runs one blocking task on another thread while the loop continues. For rare work
// such as reading a file; frequent work has its own thread. uv_queue_work(3).
//
// The result is delivered on the loop. If the Background is destroyed first, the result is dropped.
// ~Loop waits for the task to end.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

class Background {
 public:
  using Work = std::function<void()>;

  explicit Background(Loop& loop) : loop_(loop), alive_(std::make_shared<bool>(true)) {}
  ~Background() { *alive_ = false; }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Runs `work` on another thread, then `done` on the loop, never from within run(). Whatever
  // `work` uses must live until the Loop is destroyed.
  Status run(Work work, Work done);

 private:
  Loop& loop_;
  std::shared_ptr<bool> alive_;
};

}  // namespace claimsd::loop
