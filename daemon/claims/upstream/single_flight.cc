#include "daemon/claims/upstream/single_flight.h"

namespace claimsd::claims {

Flight* SingleFlight::find(const TokenKey& key) {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : find(found->second);
}

Flight* SingleFlight::find(FlightId id) {
  const auto found = flights_.find(id);
  return found == flights_.end() ? nullptr : &found->second;
}

Flight& SingleFlight::add(const TokenKey& key, UpstreamId upstream, Secret token,
                          const JwtTimes& times, std::uint32_t uid, bool known) {
  const FlightId id = next_flight_++;
  Flight& flight = flights_[id];
  flight.id = id;
  flight.key = key;
  flight.upstream = upstream;
  flight.uid = uid;
  flight.token = std::move(token);
  flight.times = times;
  by_key_[key] = id;
  upstreams_[upstream].queue.push(id, uid, known);
  ++pending_count_;
  return flight;
}

Flight* SingleFlight::start_next(UpstreamId upstream, const Now& now) {
  PerUpstream& per_upstream = upstreams_[upstream];
  if (per_upstream.queue.empty()) return nullptr;
  Flight* const flight = find(per_upstream.queue.pop());
  flight->started = now;
  ++per_upstream.in_flight;
  --pending_count_;
  return flight;
}

std::size_t SingleFlight::in_flight(UpstreamId upstream) const {
  const auto found = upstreams_.find(upstream);
  return found == upstreams_.end() ? 0 : found->second.in_flight;
}

std::size_t SingleFlight::pending(UpstreamId upstream) const {
  const auto per_upstream = upstreams_.find(upstream);
  return per_upstream == upstreams_.end() ? 0 : per_upstream->second.queue.size();
}

void SingleFlight::close(const TokenKey& key) {
  if (Flight* const flight = find(key); flight != nullptr && flight->started) flight->closed = true;
}

void SingleFlight::close_in_flight() {
  for (auto& [id, flight] : flights_) {
    if (flight.started) flight.closed = true;
  }
}

Flight SingleFlight::remove(FlightId id) {
  const auto found = flights_.find(id);
  Flight flight = std::move(found->second);
  flights_.erase(found);
  by_key_.erase(flight.key);
  --upstreams_[flight.upstream].in_flight;
  return flight;
}

void SingleFlight::wait(Flight& flight, bool successor, Waiting waiting) {
  const WaiterId id = next_waiter_++;
  by_deadline_.emplace(waiting.deadline, id);
  by_connection_.emplace(waiting.waiter.connection, id);
  ++by_uid_[waiting.uid];
  waiters_.emplace(id, std::move(waiting));
  (successor ? flight.successors : flight.waiters).push_back(id);
}

std::optional<Waiting> SingleFlight::take(WaiterId id) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return std::nullopt;
  Waiting waiting = std::move(found->second);
  drop(found, waiting);
  return waiting;
}

std::optional<Waiting> SingleFlight::take_overdue(BootTime now) {
  if (by_deadline_.empty() || by_deadline_.begin()->first > now) return std::nullopt;
  return take(by_deadline_.begin()->second);
}

void SingleFlight::drop_connection(std::uint64_t connection) {
  auto at = by_connection_.lower_bound({connection, 0});
  while (at != by_connection_.end() && at->first == connection) {
    const WaiterId id = (at++)->second;
    const auto found = waiters_.find(id);
    drop(found, found->second);
  }
}

std::optional<BootTime> SingleFlight::next_deadline() const {
  if (by_deadline_.empty()) return std::nullopt;
  return by_deadline_.begin()->first;
}

std::size_t SingleFlight::waiting_of(std::uint32_t uid) const {
  const auto found = by_uid_.find(uid);
  return found == by_uid_.end() ? 0 : found->second;
}

// `waiting`: the value at `at`, or moved from it.
void SingleFlight::drop(Waiters::iterator at, const Waiting& waiting) {
  by_deadline_.erase({waiting.deadline, at->first});
  by_connection_.erase({waiting.waiter.connection, at->first});
  if (const auto of_uid = by_uid_.find(waiting.uid); --of_uid->second == 0) by_uid_.erase(of_uid);
  waiters_.erase(at);
}

}  // namespace claimsd::claims
