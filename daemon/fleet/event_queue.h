// event_queue.h: a bounded queue of events from the bus thread to the loop thread.
//
// A push waits while the queue is full, so that a slow loop slows the bus down. The loop handles at
// most kPerIteration events before it serves its sockets again. Created and destroyed on the loop
// thread; close() first, so that no push waits.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "daemon/fleet/bus_event.h"
#include "daemon/loop/async.h"

namespace claimsd::fleet {

class EventQueue {
 public:
  static constexpr std::size_t kPerIteration = 100;
  static constexpr std::size_t kMaxEvents = 8192;
  static constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;
  using Consume = std::function<void(BusEvent&&)>;

  static Result<std::unique_ptr<EventQueue>> create(loop::Loop& loop, Consume consume);

  // Bus thread. Drops the event once the queue is closed.
  void push(BusEvent event);
  void close();

 private:
  explicit EventQueue(Consume consume) : consume_(std::move(consume)) {}
  void drain();

  const Consume consume_;
  std::optional<loop::Async> wake_;
  std::mutex mutex_;  // guards the members below
  std::condition_variable room_;
  std::deque<BusEvent> events_;
  std::size_t bytes_ = 0;
  bool closed_ = false;
};

}  // namespace claimsd::fleet
