// single_flight.h: single flight: at most one request per token is in flight, and every query for that
// token waits for it.
//
// Bookkeeping without policy. A flight is pending or in flight. It has waiters, and may have
// successors: queries that need a confirmation younger than this flight can give, so they wait for
// the next one. Each waiter has its own deadline. Owned by UpstreamScheduler; loop thread.
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
#include "daemon/claims/upstream/fair_queue.h"

namespace claimsd::claims {

using WaiterId = std::uint64_t;

// A rejection of the flight's token is checked over a new connection (rejection_check.h).
enum class Doubt : std::uint8_t { kNone, kOfUnknown, kOfKnown };  // kOfKnown: was valid before

// An owning copy of Origin that outlives the query.
struct KeptOrigin {
  KeptOrigin() = default;
  explicit KeptOrigin(const Origin& origin)
      : client_address(origin.client_address), trace_id(origin.trace_id), route(origin.route) {}
  Origin view() const { return {client_address, trace_id, route}; }
  std::string client_address;
  std::string trace_id;
  std::string route;
};

// A query that waits for a flight.
struct Waiting {
  Waiter waiter;
  BootTime asked_at;
  BootTime deadline;
  std::uint32_t uid = 0;
  TokenKey key;  // of its token
  UpstreamId upstream = 0;
  std::optional<Duration> max_age;
  bool wants_document = false;
  KeptOrigin origin;
};

struct Flight {
  FlightId id = 0;
  TokenKey key;
  UpstreamId upstream = 0;
  std::uint32_t uid = 0;  // of the first query
  Secret token;
  JwtTimes times;              // read from the token
  std::optional<Now> started;  // nullopt: pending
  bool wants_lease = false;    // true if any waiter reads the shared map
  std::size_t url = 0;         // index of the URL the request went to
  std::size_t tries = 0;       // requests made so far
  Doubt doubt = Doubt::kNone;
  bool refresh = false;  // a refresh-ahead: made even without waiters
  std::string trace_id;  // of the first query, for the log
  bool closed = false;   // purged while in flight: later queries wait for the next flight
  std::vector<WaiterId> waiters;
  std::vector<WaiterId> successors;  // wait for the next flight
};

class SingleFlight {
 public:
  // The flight for `key`, or null.
  Flight* find(const TokenKey& key);
  Flight* find(FlightId id);

  // Adds a pending flight; there must be none for `key`. `known`: the token was valid before, which
  // gives it priority in the queue.
  Flight& add(const TokenKey& key, UpstreamId upstream, Secret token, const JwtTimes& times,
              std::uint32_t uid, bool known);
  // Takes the next pending flight from the queue and marks it as in flight. Null if none is
  // pending.
  Flight* start_next(UpstreamId upstream, const Now& now);
  // For a purge: the result of a started flight is given to its current waiters only and is not
  // cached.
  void close(const TokenKey& key);
  void close_in_flight();
  // Removes a flight that is in flight.
  Flight remove(FlightId id);

  // Adds a waiter to a flight, or to its successors.
  void wait(Flight& flight, bool successor, Waiting waiting);
  bool is_waiting(WaiterId id) const { return waiters_.count(id) != 0; }
  // Removes and returns a waiter; nullopt if it has already left.
  std::optional<Waiting> take(WaiterId id);
  // Removes and returns one waiter whose deadline has passed.
  std::optional<Waiting> take_overdue(BootTime now);
  // Removes the waiters of a closed connection. Their flights continue.
  void drop_connection(std::uint64_t connection);
  std::optional<BootTime> next_deadline() const;

  std::size_t waiting() const { return waiters_.size(); }
  std::size_t waiting_of(std::uint32_t uid) const;
  std::size_t in_flight() const { return flights_.size() - pending_count_; }
  std::size_t pending() const { return pending_count_; }
  std::size_t in_flight(UpstreamId upstream) const;
  std::size_t pending(UpstreamId upstream) const;
  // Pending requests to one Auth API.
  const FairQueue& queue(UpstreamId upstream) { return upstreams_[upstream].queue; }

 private:
  struct PerUpstream {  // State of one Auth API.
    FairQueue queue;
    std::size_t in_flight = 0;
  };
  using Waiters = std::map<WaiterId, Waiting>;
  void drop(Waiters::iterator at, const Waiting& waiting);

  std::unordered_map<FlightId, Flight> flights_;
  std::unordered_map<TokenKey, FlightId, TokenKeyHash> by_key_;
  std::map<UpstreamId, PerUpstream> upstreams_;
  std::size_t pending_count_ = 0;
  Waiters waiters_;
  std::set<std::pair<BootTime, WaiterId>> by_deadline_;
  std::set<std::pair<std::uint64_t, WaiterId>> by_connection_;
  std::unordered_map<std::uint32_t, std::size_t> by_uid_;  // number of waiters
  FlightId next_flight_ = 1;
  WaiterId next_waiter_ = 1;
};

}  // namespace claimsd::claims
