// prepare.h: calls back once per loop iteration, just before the loop waits for events. Used to
// set timers for what the iteration changed. Lifetime and threads: loop.h. It does not keep a loop
// running. uv_prepare_t.
//
// Several on one loop run in reverse order of creation: the first one created sees the effects of
// all others.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

class Prepare {
 public:
  using Callback = std::function<void()>;

  Prepare(Loop& loop, Callback callback);

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::loop
