// event_feed.h: the latest kCapacity events of the daemon, and a way to wait for the next one.
// Owned by the composition root, destroyed before its Loop; loop thread.
//
// An event is a few words of plain data, so adding one costs almost nothing; text is produced when
// it is read. No event contains a token, a user or a claim. A reader that is too slow loses the
// oldest events and learns how many.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/admin_action.h"
#include "daemon/loop/timer.h"

namespace claimsd::admin {

// E(identifier, name, help).
// clang-format off
#define CLAIMSD_EVENTS(E) \
  E(kRequestCompleted, "request_completed", "a request to an Auth API has completed") \
  E(kBreakerChanged,  "breaker_changed",  "the circuit breaker of an Auth API changed: open, half-open or closed") \
  E(kPurged,       "purged",        "an operator purged cached answers") \
  E(kRevoked,      "revoked",       "an operator revoked tokens") \
  E(kUnrevoked,    "unrevoked",     "an operator withdrew a revocation") \
  E(kPeerRefused,  "peer_refused",  "a connection to the claims socket was rejected")
// clang-format on

enum class EventKind : std::uint8_t {
#define CLAIMSD_EVENT_ENUM(identifier, name, help) identifier,
  CLAIMSD_EVENTS(CLAIMSD_EVENT_ENUM)
#undef CLAIMSD_EVENT_ENUM
};

std::string_view name_of(EventKind kind);

// `kind` determines which members are set.
struct Event {
  EventKind kind = EventKind::kRequestCompleted;
  WallTime at{};
  claims::UpstreamId upstream = 0;  // kRequestCompleted, kBreakerChanged
  proto::Reason reason{};           // kRequestCompleted
  int http_status = 0;              // kRequestCompleted; 0: no response
  Duration took{};                  // kRequestCompleted
  claims::BreakerState breaker{};   // kBreakerChanged: the new state
  claims::Subject subject{};        // kPurged, kRevoked
  std::optional<std::uint32_t>
      uid;               // kPurged, kRevoked, kUnrevoked: who ordered it; kPeerRefused: the peer
  std::string_view why;  // kPeerRefused: a string literal
};

class EventFeed {
 public:
  static constexpr std::size_t kCapacity = 1024;
  static constexpr std::size_t kMaxWaiting = 8;
  static constexpr std::size_t kMaxWaitingPerUid = 4;
  // A waiting reader is woken this long after the first event, and gets all events since then.
  static constexpr milliseconds kCoalesceDelay{50};

  EventFeed(loop::Loop& loop, const Clock& clock);
  ~EventFeed() = default;
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // Sets the event's time.
  void add(Event event);

  // Sequence numbers start at 1 with the daemon.
  std::uint64_t last() const { return last_; }
  // Calls `visit(sequence, event)` for events later than `after`, oldest first, at most `most` of
  // them. Returns how many were already overwritten.
  std::uint64_t each_after(std::uint64_t after, std::size_t most,
                           const std::function<void(std::uint64_t, const Event&)>& visit) const;

  using WaitId = std::uint64_t;
  // Calls `wake` once: when there is an event later than `after`, or after `patience`. None if too
  // many readers, or too many of this uid, are waiting already.
  std::optional<WaitId> wait(std::uint64_t after, Duration patience,
                             std::optional<std::uint32_t> uid, std::function<void()> wake);
  // The reader has left: `wake` is not called any more.
  void cancel(WaitId id);

 private:
  struct Waiting {
    WaitId id;
    std::optional<std::uint32_t> uid;
    std::uint64_t after;
    BootTime until;
    std::function<void()> wake;
  };
  void wake_up();
  void set_timer();

  const Clock& clock_;
  std::vector<Event> events_;  // ring buffer: the event with sequence n is at n % kCapacity
  std::uint64_t last_ = 0;
  std::vector<Waiting> waiting_;
  WaitId next_wait_ = 1;
  loop::Timer timer_;
};

}  // namespace claimsd::admin
