// flights.h: who waits for which request to an Auth API. Single flight: for one token at most one
// request is on its way.
//
// Pure bookkeeping without policy: a flight is pending or flying, has waiters, and may have a
// successor's waiters, who asked for a confirmation younger than the flight can give. Every waiter
// has its own deadline. Loop thread; owned by ClaimsService.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/claims/origin.h"
#include "daemon/claims/parse/jwt_parser.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/upstream/pending_queue.h"

namespace claimsd::daemon {

using WaiterId = std::uint64_t;

// An Origin that outlives its question.
struct KeptOrigin {
  KeptOrigin() = default;
  explicit KeptOrigin(const Origin& origin)
      : client_address(origin.client_address), trace_id(origin.trace_id), route(origin.route) {}
  Origin view() const { return {client_address, trace_id, route}; }
  std::string client_address;
  std::string trace_id;
  std::string route;
};

// One question that waits for a flight.
struct Waiting {
  Waiter waiter;
  BootTime asked_at;
  BootTime deadline;
  std::uint32_t uid = 0;
  TokenKey key;  // what it asks about
  UpstreamId upstream = 0;
  std::optional<Duration> max_age;
  KeptOrigin origin;
};

struct Flight {
  FlightId id = 0;
  TokenKey key;
  UpstreamId upstream = 0;
  std::uint32_t uid = 0;  // who asked first
  Secret token;
  JwtTimes times;              // of the token
  std::optional<Now> started;  // none: pending
  bool wants_lease = false;    // does any asker look into the map?
  std::size_t url = 0;         // where the request went
  std::size_t tries = 0;       // requests so far
  bool refresh = false;        // is made although nobody waits
  std::string trace_id;        // of who asked first, for the log
  bool closed = false;         // purged: who asks now waits for the flight after this one
  std::vector<WaiterId> waiters;
  std::vector<WaiterId> successors;  // wait for the flight after this one
};

class Flights {
 public:
  // The flight for `key`, if there is one.
  Flight* find(const TokenKey& key);
  Flight* find(FlightId id);

  // A new pending flight. There must be none for `key`. `known`: the token was valid before.
  Flight& add(const TokenKey& key, UpstreamId upstream, Secret token, const JwtTimes& times,
              std::uint32_t uid, bool known);
  // Marks the pending flight whose turn it is as flying; null when there is none.
  Flight* start_next(UpstreamId upstream, const Now& now);
  // A purge: what flights that have started will say is for those who wait already, and is not
  // kept.
  void close(const TokenKey& key);
  void close_flying();
  // Takes a flying flight out.
  Flight remove(FlightId id);

  // Puts somebody on a flight's list (or its successor's).
  void wait(Flight& flight, bool successor, Waiting waiting);
  bool is_waiting(WaiterId id) const { return waiters_.count(id) != 0; }
  // Takes a waiter out; nothing if it has left already.
  std::optional<Waiting> take(WaiterId id);
  // Takes out one waiter whose deadline has come.
  std::optional<Waiting> take_overdue(BootTime now);
  // Forgets the waiters of a connection that closed; their flights go on.
  void forget(std::uint64_t connection);
  std::optional<BootTime> next_deadline() const;

  std::size_t waiting() const { return waiters_.size(); }
  std::size_t waiting_of(std::uint32_t uid) const;
  std::size_t flying() const { return flights_.size() - pending_count_; }
  std::size_t pending() const { return pending_count_; }
  std::size_t flying(UpstreamId upstream) const;
  std::size_t pending(UpstreamId upstream) const;
  // Requests to one Auth API that wait for their turn.
  const PendingQueue& queue(UpstreamId upstream) { return lanes_[upstream].queue; }

 private:
  struct Lane {  // of one Auth API
    PendingQueue queue;
    std::size_t flying = 0;
  };
  using Waiters = std::map<WaiterId, Waiting>;
  void drop(Waiters::iterator at, const Waiting& waiting);

  std::unordered_map<FlightId, Flight> flights_;
  std::unordered_map<TokenKey, FlightId, TokenKeyHash> by_key_;
  std::map<UpstreamId, Lane> lanes_;
  std::size_t pending_count_ = 0;
  Waiters waiters_;
  std::set<std::pair<BootTime, WaiterId>> by_deadline_;
  std::set<std::pair<std::uint64_t, WaiterId>> by_connection_;
  std::unordered_map<std::uint32_t, std::size_t> by_uid_;  // waiters
  FlightId next_flight_ = 1;
  WaiterId next_waiter_ = 1;
};

}  // namespace claimsd::daemon
