// pending_queue.h: in which order requests to one Auth API get their turn.
//
// User ids take turns, so that one with a thousand requests makes nobody else wait for all of them.
// Among those of one user id, tokens that were valid before go first, and every fourth turn goes to
// the others, so that neither starves. Pure; loop thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>

#include "daemon/claims/ports.h"

namespace claimsd::daemon {

class PendingQueue {
 public:
  void push(FlightId id, std::uint32_t uid, bool known);
  // Whose turn it is; there must be one.
  FlightId pop();
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t size_of(std::uint32_t uid) const;

 private:
  static constexpr unsigned kTurnsOfTheKnown = 3;  // of four
  struct OfUid {  // lists: an empty deque holds memory, and mostly both are empty again at once
    std::list<FlightId> known;
    std::list<FlightId> others;
    unsigned turns = 0;
  };

  std::map<std::uint32_t, OfUid> by_uid_;
  std::uint32_t last_uid_ = 0;  // who had the last turn
  std::size_t size_ = 0;
};

}  // namespace claimsd::daemon
