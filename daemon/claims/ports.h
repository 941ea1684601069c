// ports.h: the interfaces through which the policy reaches the outside world. ClaimsService takes
// one of each. Implementations are in store/, upstream/ and server/, fakes in tests/support/. All
// calls are made on the loop thread.
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
#include "daemon/claims/parse/document_notes.h"
#include "daemon/claims/parse/token.h"

namespace claimsd::claims {

// Derives a token's key, which identifies the token without revealing it.
class Keyer {
 public:
  virtual ~Keyer() = default;
  virtual TokenKey key_of(UpstreamId upstream, std::string_view token) = 0;
};

enum class Stored : std::uint8_t {
  kStored,  // may still be lost if the daemon is killed right afterwards
  kFull,    // no room: evict entries and retry
  kFailed,  // the store failed and has logged why; the entry is not cached
};

// Confirmed tokens by key. Does not check freshness: returned entries may have expired.
class ClaimsCache {
 public:
  virtual ~ClaimsCache() = default;

  // The entry's `claims` stay valid until the next call of any member function.
  virtual std::optional<Entry> find(const TokenKey& key) = 0;
  // Replaces an existing entry.
  virtual Stored put(const TokenKey& key, const Entry& entry) = 0;
  // False if the store failed, so the entry may still be present.
  virtual bool erase(const TokenKey& key) = 0;
  // Visits every key with the end of its TTL, in no particular order; used at startup. `visit` must
  // not call the cache.
  virtual void each(const std::function<void(const TokenKey&, BootTime fresh_until)>& visit) = 0;
  virtual std::size_t entries() const = 0;
  // Visits up to `most` entries in key order, starting after `after`. Returns the key to continue
  // after, or nullopt at the end. `visit` must not call the cache. A cache that cannot be scanned
  // visits nothing.
  virtual std::optional<TokenKey> scan(
      const std::optional<TokenKey>& /*after*/, std::size_t /*most*/,
      const std::function<void(const TokenKey&, const Entry&)>& /*visit*/) {
    return std::nullopt;
  }
};

using FlightId = std::uint64_t;

// Result of one GET /api/me/.
struct FetchOutcome {
  // kOk: a complete response arrived, with any status. Otherwise the failure (kUpstream...).
  proto::Reason failure = proto::Reason::kOk;
  int status = 0;
  Secret body;                // at most 256 KiB, as sent
  std::string cache_control;  // header values, joined with ", " if repeated; "" if absent
  std::string age;
  seconds retry_after{};  // Retry-After, at most an hour; 0: no advice (RFC 9110 section 10.2.3)
  std::string vary;
  std::string content_type;
  // For the log: curl's message or an errno; never any part of the token or the body.
  std::string detail;
  Duration took{};
  std::optional<WallTime> server_certificate_end;  // of its latest TLS handshake; none: no TLS
  bool reused = false;        // over a connection that had carried an earlier request
  Duration connection_age{};  // of that connection, with `reused` only
};

// Which connection a request may use. Retries, probes and checks of a doubtful rejection use a new
// one, because a kept connection may be the cause of the failure.
enum class Connect : std::uint8_t { kReuse, kFresh };

// Starts requests; `url` is an index into the Auth API's URLs. Each start() is followed by exactly
// one ClaimsService::on_complete() with its id, never from within start().
class Upstream {
 public:
  virtual ~Upstream() = default;
  virtual void start(FlightId id, UpstreamId upstream, std::size_t url, const Secret& token,
                     Connect connect) = 0;
  // Requests to this URL that start later use no connection that exists now.
  virtual void drop_connections(UpstreamId /*upstream*/, std::size_t /*url*/) {}
};

// How long a worker may use an entry without another query. The first clock to expire ends the
// lease.
struct LeaseEnd {
  BootTime lease;
  WallTime hard = WallTime::max();  // the token's own `exp` minus the skew; max: none
};

// Publishes confirmed entries to the host's workers as leases. Once a withdraw function has
// returned, no later lookup can read what it withdrew.
class Publisher {
 public:
  virtual ~Publisher() = default;

  // Replaces what was published for `key`. May decline: entry too large, token too short, no space.
  virtual void publish(UpstreamId upstream, std::string_view token, const TokenKey& key,
                       const Entry& entry, const LeaseEnd& end) = 0;
  // When the published lease of `key` ends; min: none is known.
  virtual BootTime published_until(const TokenKey& /*key*/) const { return BootTime::min(); }
  virtual void withdraw(const TokenKey& key) = 0;
  // Withdraws the leases of all spellings of the token (parse/token_name.h), at every Auth API.
  // True if there were any.
  virtual bool withdraw_token(std::string_view token) = 0;
  // Withdraws all leases of the user with this id claim, even if the cache no longer holds them.
  virtual void withdraw_user(UpstreamId upstream, std::string_view user) = 0;
  // The same for a subject of which only the fingerprint is known, because another host of the fleet
  // revoked it. Withdraws everything if leases cannot be found by it.
  virtual void withdraw_token_named(const TokenKey& /*fingerprint*/) { withdraw_all(); }
  virtual void withdraw_user_named(const TokenKey& /*fingerprint*/) { withdraw_all(); }
  virtual void withdraw_all() = 0;
};

// Publishes nothing, so every query comes through the socket.
class NoPublisher final : public Publisher {
 public:
  void publish(UpstreamId, std::string_view, const TokenKey&, const Entry&,
               const LeaseEnd&) override {}
  void withdraw(const TokenKey&) override {}
  bool withdraw_token(std::string_view) override { return false; }
  void withdraw_user(UpstreamId, std::string_view) override {}
  void withdraw_all() override {}
};

// Identifies a waiting client by connection and request. Not reused while an answer may be pending.
struct Waiter {
  std::uint64_t connection = 0;  // 0: no client waits
  std::uint32_t request = 0;
};

struct Answer {
  proto::Reason reason = proto::Reason::kInternal;
  proto::Source source = proto::Source::kNone;
  std::uint16_t flags = 0;
  Duration age{};            // since the Auth API last confirmed the token
  Duration ttl_remaining{};  // remaining TTL
  Duration retry_after{};    // for kUnavailable: when to retry; 0: no advice
  std::string_view claims;   // a claims block, with kOk only; valid during the call
  // The document as the Auth API sent it, if a request answered a query that wanted it; valid during
  // the call.
  std::string_view document;
};

// Result of one request, for the log and the status page. Contains no secrets.
struct RequestReport {
  UpstreamId upstream = 0;
  proto::Reason reason = proto::Reason::kInternal;  // kOk, kRejected, or why there is no verdict
  int status = 0;
  std::string_view detail;
  Duration took{};
  std::string_view trace_id;  // of the query that caused it, as sent by the client; "": none
  const DocumentNotes* document = nullptr;  // of the claims document that confirmed the token
  std::optional<WallTime> server_certificate_end;  // as in FetchOutcome
  bool uncacheable = false;                        // a confirmation that forbids caching
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void request_completed(const RequestReport& report) = 0;
  // The circuit breaker of an Auth API has opened, become half-open, or closed.
  virtual void breaker_changed(UpstreamId /*upstream*/, BreakerState /*now*/) {}
  // A new connection confirmed a token that an old connection had rejected.
  virtual void instances_disagree(UpstreamId /*upstream*/) {}
  // A query timed out while its request was in flight or pending.
  virtual void deadline_passed(UpstreamId /*upstream*/, std::string_view /*trace_id*/) {}
};

// Receives exactly one answer per waiter. Must ignore waiters that have disconnected.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void answer(const Waiter& waiter, const Answer& answer) = 0;
  // Receipt for a report: kOk if it was recorded, otherwise why not.
  virtual void receipt(const Waiter& waiter, proto::Reason reason) = 0;
};

}  // namespace claimsd::claims
