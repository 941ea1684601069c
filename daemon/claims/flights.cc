#include "daemon/claims/flights.h"

namespace claimsd::daemon {

Flight* Flights::find(const TokenKey& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : find(found->second);
}

Flight* Flights::find(FlightId id) {
  const auto found = flights_.find(id);
  return found == flights_.end() ? nullptr : &found->second;
}

Flight& Flights::add(const TokenKey& key, UpstreamId upstream, Secret token,
                     const JwtTimes& times) {
  const FlightId id = next_flight_++;
  Flight& flight = flights_[id];
  flight.id = id;
  flight.key = key;
  flight.upstream = upstream;
  flight.token = std::move(token);
  flight.times = times;
  by_key_[key] = id;
  queue_.push_back(id);
  ++pending_count_;
  return flight;
}

Flight* Flights::next_pending() {
  return queue_.empty() ? nullptr : find(queue_.front());
}

void Flights::start(Flight& flight, const Now& now) {
  flight.started = now;
  queue_.pop_front();
  --pending_count_;
}

void Flights::close(const TokenKey& key) {
  if (Flight* const flight = find(key); flight != nullptr && flight->started) flight->closed = true;
}

void Flights::close_flying() {
  for (auto& [id, flight] : flights_) {
    if (flight.started) flight.closed = true;
  }
}

Flight Flights::remove(FlightId id) {
  const auto found = flights_.find(id);
  Flight flight = std::move(found->second);
  flights_.erase(found);
  by_key_.erase(flight.key);
  return flight;
}

void Flights::wait(Flight& flight, bool successor, const Waiter& waiter, BootTime deadline) {
  const WaiterId id = next_waiter_++;
  waiters_.emplace(id, Waiting{waiter, deadline});
  by_deadline_.emplace(deadline, id);
  by_connection_.emplace(waiter.connection, id);
  (successor ? flight.successors : flight.waiters).push_back(id);
}

std::optional<Waiter> Flights::take(WaiterId id) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return std::nullopt;
  const Waiter waiter = found->second.waiter;
  drop(found);
  return waiter;
}

std::optional<Waiter> Flights::take_overdue(BootTime now) {
  if (by_deadline_.empty() || by_deadline_.begin()->first > now) return std::nullopt;
  return take(by_deadline_.begin()->second);
}

void Flights::forget(std::uint64_t connection) {
  auto at = by_connection_.lower_bound({connection, 0});
  while (at != by_connection_.end() && at->first == connection) {
    const WaiterId id = (at++)->second;
    drop(waiters_.find(id));
  }
}

std::optional<BootTime> Flights::next_deadline() const {
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first;
}

void Flights::drop(Waiters::iterator at) {
  by_deadline_.erase({at->second.deadline, at->first});
  by_connection_.erase({at->second.waiter.connection, at->first});
  waiters_.erase(at);
}

}  // namespace claimsd::daemon
