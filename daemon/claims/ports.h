// ports.h: the outside world as the policy sees it. ClaimsService is given one of each; the real
// ones live in store/, upstream/ and server/, the fakes in tests/support/. All calls are made on
// the loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"
#include "daemon/base/secret.h"
#include "daemon/claims/breaker_state.h"
#include "daemon/claims/entry.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::daemon {

// Names a token without holding it.
class Keyer {
 public:
  virtual ~Keyer() = default;
  virtual TokenKey key_of(UpstreamId upstream, std::string_view token) = 0;
};

enum class Stored : std::uint8_t {
  kStored,  // what a killed daemon had only just stored may be gone: it is asked for again
  kFull,    // no room: evict and try again
  kFailed,  // the store is in trouble and has logged why; the entry is simply not kept
};

// Confirmed tokens by key. Knows nothing of freshness; what it returns may have ended long ago.
class ClaimsCache {
 public:
  virtual ~ClaimsCache() = default;

  // The entry's `claims` stay readable until the next call of any of these.
  virtual std::optional<Entry> find(const TokenKey& key) = 0;
  // Replaces what was there.
  virtual Stored put(const TokenKey& key, const Entry& entry) = 0;
  // False when the entry may still be there, because the store is in trouble.
  virtual bool erase(const TokenKey& key) = 0;
  // Every key with the end of its life, in no particular order: to pick up after a restart. Must
  // not call back into the cache.
  virtual void each(const std::function<void(const TokenKey&, BootTime fresh_until)>& visit) = 0;
  virtual std::size_t entries() const = 0;
  // Entries in the order of their keys, at most `most`, after `after`: gives back the key to go on
  // after, none at the end. Must not call back into the cache. One that cannot be looked through
  // shows nothing.
  virtual std::optional<TokenKey> scan(
      const std::optional<TokenKey>& /*after*/, std::size_t /*most*/,
      const std::function<void(const TokenKey&, const Entry&)>& /*visit*/) {
    return std::nullopt;
  }
};

using FlightId = std::uint64_t;

// What became of one GET /api/me/.
struct FetchOutcome {
  // kOk: a whole response arrived, whatever its status. Otherwise why not (kUpstream...).
  proto::Reason failure = proto::Reason::kOk;
  int status = 0;
  Secret body;                // at most 64 KiB, as sent
  std::string cache_control;  // header values, joined by ", " where repeated; "" when absent
  std::string age;
  seconds retry_after{};  // Retry-After, at most an hour; 0: no advice (RFC 9110 section 10.2.3)
  std::string vary;
  std::string detail;  // for the log: curl's words, an errno; never part of the token or the body
  Duration took{};
};

// Starts requests at one of an Auth API's URLs (by position); each start() is followed by exactly
// one ClaimsService::landed() with its id, later, never from within start().
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual void start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token) = 0;
};

// For how long a worker may rely on an entry without asking again; either clock ends it.
struct LeaseEnd {
  BootTime lease;
  WallTime hard = WallTime::max();  // the token's own `exp`, less the skew; max: it has none
};

// Shows confirmed entries to the workers of the host as leases, beside the socket. What is
// withdrawn can be read by no lookup that begins after the call has returned.
class Publisher {
 public:
  virtual ~Publisher() = default;

  // Takes the place of what was shown for `key`. May decline: too large, token too short, no room.
  virtual void publish(UpstreamId upstream, std::string_view token, const TokenKey& key,
                       const Entry& entry, const LeaseEnd& end) = 0;
  // The end of the lease that is shown for `key`; min: none is, as far as is known.
  virtual BootTime shown_until(const TokenKey& /*key*/) const { return BootTime::min(); }
  virtual void withdraw(const TokenKey& key) = 0;
  // All that is shown of the user with this id claim, whoever still has it in a cache.
  virtual void withdraw_user(UpstreamId upstream, std::string_view user) = 0;
  virtual void withdraw_all() = 0;
};

// Shows nothing: every question comes over the socket.
class NoPublisher final : public Publisher {
 public:
  void publish(UpstreamId, std::string_view, const TokenKey&, const Entry&,
               const LeaseEnd&) override {}
  void withdraw(const TokenKey&) override {}
  void withdraw_user(UpstreamId, std::string_view) override {}
  void withdraw_all() override {}
};

// Who is waiting: a request on a connection. Never reused while an answer may be on its way.
struct Waiter {
  std::uint64_t connection = 0;  // 0: none, nobody waits
  std::uint32_t request = 0;
};

struct Answer {
  proto::Reason reason = proto::Reason::kInternal;
  proto::Source source = proto::Source::kNone;
  std::uint16_t flags = 0;
  Duration age{};           // since the Auth API last confirmed it
  Duration left{};          // how long it may be relied on
  Duration retry_after{};   // advice with kUnavailable; 0: none
  std::string_view claims;  // a block, with kOk alone; readable during the call
};

// What became of a request, for the log and the status. No secret is in it.
struct FlightReport {
  UpstreamId upstream = 0;
  proto::Reason reason = proto::Reason::kInternal;  // kOk, kRefused or why nothing was settled
  int status = 0;
  std::string_view detail;
  Duration took{};
  std::string_view trace_id;  // of the question that caused it, as the client gave it; "": none
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void flight_landed(const FlightReport& report) = 0;
  // An Auth API begins to be left alone, probed, or asked again.
  virtual void gate_changed(UpstreamId /*upstream*/, GateState /*now*/) {}
  // A question ended by its own deadline, while a request for it was out or waiting for its turn.
  virtual void deadline_passed(UpstreamId /*upstream*/, std::string_view /*trace_id*/) {}
};

// Takes each waiter's one answer. A waiter that has left in the meantime is the sink's to ignore.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void answer(const Waiter& waiter, const Answer& answer) = 0;
  // The same for who reported something: kOk, it is recorded; else why not.
  virtual void receipt(const Waiter& waiter, proto::Reason reason) = 0;
};

}  // namespace claimsd::daemon
