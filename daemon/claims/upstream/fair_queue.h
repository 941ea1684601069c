// fair_queue.h: a fair queue of requests to one Auth API.
//
// User ids take turns, so a uid with a thousand requests does not delay the others by all of them.
// Within a uid, tokens that were valid before go first, but every fourth turn goes to the other
// tokens: neither kind starves. Pure; loop thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>

#include "daemon/claims/ports.h"

namespace claimsd::claims {

class FairQueue {
 public:
  void push(FlightId id, std::uint32_t uid, bool known);
  // Removes and returns the next request. The queue must not be empty.
  FlightId pop();
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t size_of(std::uint32_t uid) const;

 private:
  static constexpr unsigned kTurnsOfTheKnown = 3;  // out of four
  // Lists, because an empty deque allocates memory and both queues are empty most of the time.
  struct OfUid {
    std::list<FlightId> known;
    std::list<FlightId> others;
    unsigned turns = 0;
  };

  std::map<std::uint32_t, OfUid> by_uid_;
  std::uint32_t last_uid_ = 0;  // had the last turn
  std::size_t size_ = 0;
};

}  // namespace claimsd::claims
