// timer.h: calls back once after a delay, or repeatedly. Lifetime and threads: loop.h.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "daemon/loop/loop.h"

namespace claimsd::loop {

class Timer {
 public:
  using Callback = std::function<void()>;

  Timer(Loop& loop, Callback callback);

  // Fires after `delay` (rounded up to milliseconds), then every `repeat` unless that is 0.
  // Starting it again replaces the previous setting.
  void start(Duration delay, Duration repeat = {});
  void stop();
  bool active() const;

 private:
  struct Block;
  struct Close {
    void operator()(Block* block) const;
  };
  std::unique_ptr<Block, Close> block_;
};

}  // namespace claimsd::loop
