// before_wait.h: calls back once a turn of the loop, just before it waits for events: where timers
// are set for what the turn has changed. Rules of lifetime and thread: loop.h. It does not keep a
// loop running by itself. uv_prepare_t.
//
// Several of one loop are called in the reverse order of their making: the first one made sees what
// all the others have done.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

class BeforeWait {
 public:
  using Callback = std::function<void()>;

  BeforeWait(Loop& loop, Callback callback);

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::daemon
