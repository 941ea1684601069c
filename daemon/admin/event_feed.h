// event_feed.h: what happens in the daemon, for people who watch: the last kCapacity events, and a
// way to wait for the next one.
//
// An event is plain data, a few words, so that noting one costs nothing that a miss would notice;
// words are made of it when somebody reads. Nothing in one names a token, a user or a claim. Who
// reads too slowly misses the oldest, and is told how many. Loop thread; owned by the composition
// root, destroyed before its Loop.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/orders.h"
#include "daemon/loop/timer.h"

namespace claimsd::daemon {

// E(identifier, name, help).
// clang-format off
#define CLAIMSD_EVENTS(E) \
  E(kFlightLanded, "flight_landed", "a request to an Auth API has ended") \
  E(kGateChanged,  "gate_changed",  "an Auth API is left alone, probed, or asked again") \
  E(kPurged,       "purged",        "an operator had answers forgotten") \
  E(kRevoked,      "revoked",       "an operator had tokens denied") \
  E(kPeerRefused,  "peer_refused",  "a client was turned away from the claims socket")
// clang-format on

enum class EventKind : std::uint8_t {
#define CLAIMSD_EVENT_ENUM(identifier, name, help) identifier,
  CLAIMSD_EVENTS(CLAIMSD_EVENT_ENUM)
#undef CLAIMSD_EVENT_ENUM
};

std::string_view name_of(EventKind kind);

// Which members count is a matter of the kind.
struct Event {
  EventKind kind = EventKind::kFlightLanded;
  WallTime at{};
  UpstreamId upstream = 0;           // kFlightLanded, kGateChanged
  proto::Reason reason{};            // kFlightLanded
  int http_status = 0;               // kFlightLanded; 0: no response
  Duration took{};                   // kFlightLanded
  GateState gate{};                  // kGateChanged: what it is now
  Subject subject{};                 // kPurged, kRevoked
  std::optional<std::uint32_t> uid;  // kPurged, kRevoked: who ordered it; kPeerRefused: who it was
  std::string_view why;              // kPeerRefused: a literal
};

class EventFeed {
 public:
  static constexpr std::size_t kCapacity = 1024;
  static constexpr std::size_t kMostWaiting = 8;
  // Whoever waits is woken so long after an event, with all that came in between.
  static constexpr milliseconds kGathering{50};

  EventFeed(Loop& loop, const Clock& clock);
  ~EventFeed() = default;
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // Fills in when.
  void add(Event event);

  // Sequence numbers begin at 1 with the daemon.
  std::uint64_t last() const { return last_; }
  // Calls `visit(sequence, event)` for those after `after`, oldest first, at most `most` of them.
  // Gives back how many of them are gone already.
  std::uint64_t each_after(std::uint64_t after, std::size_t most,
                           const std::function<void(std::uint64_t, const Event&)>& visit) const;

  // Calls `wake` once: when there is something after `after`, or when `patience` is over. False
  // when too many wait already.
  bool wait(std::uint64_t after, Duration patience, std::function<void()> wake);

 private:
  struct Waiting {
    std::uint64_t after;
    BootTime until;
    std::function<void()> wake;
  };
  void wake_up();
  void set_timer();

  const Clock& clock_;
  std::vector<Event> events_;  // a ring: the event of sequence n is at n % kCapacity
  std::uint64_t last_ = 0;
  std::vector<Waiting> waiting_;
  Timer timer_;
};

}  // namespace claimsd::daemon
