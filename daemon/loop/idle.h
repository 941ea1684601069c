// idle.h: while started, calls back once per loop iteration and keeps the loop from waiting.
// For work split into pieces, so that events are handled in between. Lifetime and threads: loop.h.
// uv_idle_t.
//
// A Timer of 0 ms is no substitute: if its own callback restarts it, it fires again in the same
// iteration, before any I/O events are handled.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

class Idle {
 public:
  using Callback = std::function<void()>;

  Idle(Loop& loop, Callback callback);

  void start();
  void stop();

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::loop
