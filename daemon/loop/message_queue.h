// message_queue.h: passes values to the thread of a loop, in order.
//
// Created and destroyed on the consumer's thread, or by its owner while that thread is not running.
// push() may be called from any thread while the queue exists. Each value is consumed exactly once,
// on the consumer's loop, never from within push(). Destroying the queue drops the remaining
// values; the consumer may do so inside its callback. Unbounded: the producer must have its own
// bound.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "daemon/loop/async.h"

namespace claimsd::loop {

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
    // Only the push that finds the queue empty wakes the consumer.
    if (first) async_.notify();
  }

 private:
  struct State {
    std::mutex mutex;
    std::vector<T> incoming;  // guarded by mutex
    std::vector<T> draining;  // this and below: consumer thread only
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

}  // namespace claimsd::loop
