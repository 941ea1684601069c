#include "daemon/fleet/event_queue.h"

#include <vector>

namespace claimsd::fleet {

Result<std::unique_ptr<EventQueue>> EventQueue::create(loop::Loop& loop, Consume consume) {
  std::unique_ptr<EventQueue> self(new EventQueue(std::move(consume)));
  self->wake_ = TRY(loop::Async::create(loop, [queue = self.get()] { queue->drain(); }));
  return self;
}

void EventQueue::push(BusEvent event) {
  std::unique_lock lock(mutex_);
  room_.wait(lock,
             [this] { return closed_ || (events_.size() < kMaxEvents && bytes_ < kMaxBytes); });
  if (closed_) return;
  bytes_ += event.bytes();
  events_.push_back(std::move(event));
  if (events_.size() == 1) wake_->notify();
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  room_.notify_all();
}

void EventQueue::drain() {
  std::vector<BusEvent> batch;
  {
    const std::lock_guard lock(mutex_);
    while (!events_.empty() && batch.size() < kPerIteration) {
      bytes_ -= events_.front().bytes();
      batch.push_back(std::move(events_.front()));
      events_.pop_front();
    }
    if (!events_.empty()) wake_->notify();
  }
  room_.notify_all();
  for (BusEvent& event : batch) consume_(std::move(event));
}

}  // namespace claimsd::fleet
