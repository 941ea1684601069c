#include "client/src/pool.h"

namespace claimsd::client_impl {

bool Pool::create(std::uint32_t connections) {
  slots_ = static_cast<Connection*>(std::calloc(connections, sizeof(Connection)));
  free_ = static_cast<Connection**>(std::calloc(connections, sizeof(Connection*)));
  if (slots_ == nullptr || free_ == nullptr) return false;
  for (; count_ < connections; ++count_) {
    free_[connections - 1 - count_] = new (slots_ + count_) Connection;
  }
  free_count_ = count_;
  limit_ = count_;
  return true;
}

Pool::~Pool() {
  for (std::uint32_t i = 0; i < count_; ++i) slots_[i].~Connection();
  std::free(slots_);
  std::free(free_);
}

Connection* Pool::take(Deadline deadline) {
  const Locked locked(mutex_);
  return take_locked(deadline);
}

Connection* Pool::take_locked(Deadline deadline) {
  if (count_ - free_count_ < limit()) return free_[--free_count_];
  Waiter self;
  enqueue(&self);
  while (self.given == nullptr && self.changed.wait(mutex_, deadline)) continue;
  if (self.given == nullptr) remove(&self);
  return self.given;
}

std::uint32_t Pool::limit() {
  if (limit_ < count_ && now_ns() >= limited_until_ns_) limit_ = count_;
  return limit_;
}

Connection* Pool::exchange(Connection* connection, Deadline deadline) {
  const Locked locked(mutex_);
  const std::uint32_t others = count_ - free_count_ - 1;
  if (others == 0) return connection;
  put(connection);
  limit_ = others;
  limited_until_ns_ = now_ns() + kConnectionLimitNs;
  return take_locked(deadline);
}

void Pool::enqueue(Waiter* waiter) {
  Waiter** place = &first_;
  while (*place != nullptr) place = &(*place)->next;
  *place = waiter;
}

void Pool::remove(Waiter* waiter) {
  Waiter** place = &first_;
  while (*place != waiter) place = &(*place)->next;
  *place = waiter->next;
}

void Pool::give_back(Connection* connection) {
  connection->wipe();
  const Locked locked(mutex_);
  if (first_ == nullptr) return put(connection);
  Waiter* const waiter = first_;
  first_ = waiter->next;
  waiter->given = connection;
  waiter->changed.wake();
}

void Pool::put(Connection* connection) {
  std::uint32_t place = free_count_++;
  if (!connection->connected()) {
    // Below the connected ones, lest a broken connection be preferred to a working one. Rare, so a
    // shift will do.
    for (; place > 0 && free_[place - 1]->connected(); --place) free_[place] = free_[place - 1];
  }
  free_[place] = connection;
}

void Pool::abandon() {
  mutex_.renew();
  first_ = nullptr;
  limit_ = count_;
  for (free_count_ = 0; free_count_ < count_; ++free_count_) {
    slots_[free_count_].close();
    free_[count_ - 1 - free_count_] = slots_ + free_count_;
  }
}

}  // namespace claimsd::client_impl
