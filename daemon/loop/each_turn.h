// each_turn.h: calls back once in every turn of the loop while it is started, and the loop then
// waits for nothing: for work that is done in pieces, between which others are served. Rules of
// lifetime and thread: loop.h. uv_idle_t.
//
// A Timer of 0 ms is no substitute: one that its own callback starts again fires again in the same
// turn, before anybody's events are looked at.
#pragma once

#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::daemon {

class EachTurn {
 public:
  using Callback = std::function<void()>;

  EachTurn(Loop& loop, Callback callback);

  void start();
  void stop();

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::daemon
