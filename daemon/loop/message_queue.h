// message_queue.h: hands values to the thread of a loop, in order.
//
// Made and destroyed on the consumer's thread, or by its owner while that thread does not run;
// push() from any thread, as long as the object lives. Each value is consumed exactly once, on the
// consumer's loop, never from within push(), and not at all once the queue is destroyed (values
// still in it are destroyed with it), not even when the consumer destroys it from inside its
// callback. Unbounded: whoever pushes has a bound of its own.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "daemon/loop/async.h"

namespace claimsd::daemon {

template <class T>
class MessageQueue {
 public:
  using Consume = std::function<void(T&&)>;

  static Result<std::unique_ptr<MessageQueue>> create(Loop& consumer, Consume consume) {
    auto state = std::make_shared<State>();
    state->consume = std::move(consume);
    Async async = TRY(Async::create(consumer, [state] { drain(state); }));
    return std::unique_ptr<MessageQueue>(new MessageQueue(std::move(state), std::move(async)));
  }

  ~MessageQueue() {
    state_->closed = true;
    const std::lock_guard lock(state_->mutex);
    state_->incoming.clear();
  }
  MessageQueue(const MessageQueue&) = delete;
  MessageQueue& operator=(const MessageQueue&) = delete;

  void push(T value) {
    bool first = false;
    {
      const std::lock_guard lock(state_->mutex);
      first = state_->incoming.empty();
      state_->incoming.push_back(std::move(value));
    }
    // Who finds it empty wakes the consumer; the others ride along.
    if (first) async_.notify();
  }

 private:
  struct State {
    std::mutex mutex;
    std::vector<T> incoming;  // guarded by mutex
    std::vector<T> draining;  // the consumer's, as the rest
    Consume consume;
    bool closed = false;
  };

  MessageQueue(std::shared_ptr<State> state, Async async)
      : state_(std::move(state)), async_(std::move(async)) {}

  static void drain(const std::shared_ptr<State>& shared) {
    const std::shared_ptr<State> state = shared;  // the consumer may destroy the queue
    {
      const std::lock_guard lock(state->mutex);
      state->draining.swap(state->incoming);
    }
    for (T& value : state->draining) {
      if (state->closed) break;
      state->consume(std::move(value));
    }
    state->draining.clear();
  }

  std::shared_ptr<State> state_;
  Async async_;
};

}  // namespace claimsd::daemon
