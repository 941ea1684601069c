// fake_world.h: fakes of everything ClaimsService depends on: clocks that tests advance, seeded
// randomness, a cache that fails on demand, an Auth API whose requests the test completes.
//
// Deterministic: the same calls and seeds give the same run. Each fake checks its contract in
// ports.h and throws std::logic_error on a violation. Independent of Catch2, so that the simulator
// can use it. Single-threaded; each fake must outlive the service.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/revocations.h"

namespace claimsd::testing {

// Two clocks that move only when the test moves them.
class FakeClock final : public Clock {
 public:
  Now now() const override { return now_; }
  // Advances both clocks.
  void advance(Duration by) {
    now_.boot += by;
    now_.wall += by;
  }
  // Steps the wall clock, as an administrator would; negative steps back.
  void step_wall(Duration by) { now_.wall += by; }
  // Steps only the boot clock, which never happens in reality. For event orders that are otherwise
  // impossible to build.
  void step_boot(Duration by) { now_.boot += by; }

 private:
  // An arbitrary time after boot, and 2026-01-01T00:00:00Z.
  Now now_{BootTime(seconds(1000)), WallTime(seconds(1'767'225'600))};
};

// splitmix64 (Steele, Lea, Flood 2014). The seed is its whole state.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(void* out, std::size_t size) override;
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

// Numbers each pair of upstream and token in order of first use: no two share a key.
class FakeKeyer final : public claims::Keyer {
 public:
  claims::TokenKey key_of(claims::UpstreamId upstream, std::string_view token) override;

 private:
  std::map<std::pair<claims::UpstreamId, std::string>, std::uint64_t> numbers_;
};

// The key for a number, spread like a hash; number_of() is the inverse.
claims::TokenKey numbered_key(std::uint64_t number);
std::uint64_t number_of(const claims::TokenKey& key);

// Makes calls fail: after `delay` successful calls, the next `times` fail.
class Fault {
 public:
  void arm(std::size_t delay, std::size_t times) {
    delay_ = delay;
    times_ = times;
  }
  void disarm() { times_ = 0; }
  // True if this call has to fail.
  bool strikes();

 private:
  std::size_t delay_ = 0;
  std::size_t times_ = 0;
};

// A map. The result of find() is overwritten by the next call, which exposes dangling views.
class FakeCache final : public claims::ClaimsCache {
 public:
  std::optional<claims::Entry> find(const claims::TokenKey& key) override;
  claims::Stored put(const claims::TokenKey& key, const claims::Entry& entry) override;
  bool erase(const claims::TokenKey& key) override;
  void each(const std::function<void(const claims::TokenKey&, BootTime)>& visit) override;
  std::size_t entries() const override { return kept_.size(); }
  std::optional<claims::TokenKey> scan(
      const std::optional<claims::TokenKey>& after, std::size_t most,
      const std::function<void(const claims::TokenKey&, const claims::Entry&)>& visit) override;

  bool holds(const claims::TokenKey& key) const { return kept_.count(key) != 0; }

  Fault find_fault;                 // find() returns nothing
  Fault put_fault;                  // put() returns kFailed and keeps the old entry
  Fault erase_fault;                // erase() returns false and keeps the entry
  std::size_t capacity = SIZE_MAX;  // bytes of claims; beyond it put() returns kFull

 private:
  struct Kept {
    claims::Entry entry;
    std::string claims;
  };
  void scribble();

  std::map<claims::TokenKey, Kept> kept_;
  std::size_t bytes_ = 0;
  std::string scratch_;
};

// Keeps each request until the test completes it.
class FakeUpstream final : public claims::Upstream {
 public:
  struct InFlight {
    claims::FlightId id = 0;
    claims::UpstreamId upstream = 0;
    std::string token;
    std::size_t url = 0;
    claims::Connect connect = claims::Connect::kReuse;
  };

  // Throws if an equal request is in flight.
  void start(claims::FlightId id, claims::UpstreamId upstream, std::size_t url, const Secret& token,
             claims::Connect connect) override;
  void drop_connections(claims::UpstreamId, std::size_t) override { ++drops; }
  std::size_t drops = 0;  // calls of drop_connections()

  // The requests in flight, oldest first.
  const std::vector<InFlight>& in_flight() const { return in_flight_; }
  // Removes a request, to be completed by the caller. Throws if there is none.
  InFlight take(claims::FlightId id);
  InFlight take_oldest();
  InFlight take_for(std::string_view token);
  // All requests so far.
  std::size_t requests() const { return requests_; }
  // Drops all requests, as when the daemon dies.
  void hang_up() { in_flight_.clear(); }

 private:
  std::vector<InFlight> in_flight_;
  std::size_t requests_ = 0;
};

// An Answer with its own copy of the claims.
struct RecordedAnswer {
  claims::Answer answer;  // do not read `claims` here; use the copy below
  std::string claims;
  Now at;
};

// Records answers. Throws if a waiter gets a second answer or never sent a query, or if claims come
// with anything but kOk.
class RecordingSink final : public claims::AnswerSink {
 public:
  explicit RecordingSink(const Clock& clock) : clock_(clock) {}

  void answer(const claims::Waiter& waiter, const claims::Answer& answer) override;
  void receipt(const claims::Waiter& waiter, proto::Reason reason) override;

  // Announces a query.
  void expect(const claims::Waiter& waiter);
  // Null if not answered yet.
  const RecordedAnswer* find(const claims::Waiter& waiter) const;
  // The same for the receipt of a report.
  void expect_receipt(const claims::Waiter& waiter);
  std::optional<proto::Reason> receipt_of(const claims::Waiter& waiter) const;
  // Waiters in the order in which they were answered.
  const std::vector<claims::Waiter>& order() const { return order_; }
  std::size_t open() const { return open_; }

  // Called at the end of each answer(), to do what a sink may do: hang up or query again.
  std::function<void(const claims::Waiter&)> on_answer;
  std::function<void(const claims::Waiter&)> on_receipt;

 private:
  using Id = std::pair<std::uint64_t, std::uint32_t>;
  const Clock& clock_;
  std::map<Id, std::optional<RecordedAnswer>> answers_;
  std::map<Id, std::optional<proto::Reason>> receipts_;
  std::vector<claims::Waiter> order_;
  std::size_t open_ = 0;
};

// What workers see in the map, by key.
class FakePublisher final : public claims::Publisher {
 public:
  struct Published {
    claims::UpstreamId upstream = 0;
    std::string name;  // of the token
    std::string user;  // its id claim
    std::string claims;
    BootTime confirmed_at;
    claims::LeaseEnd end;
  };

  explicit FakePublisher(const Clock& clock) : clock_(clock) {}

  // Throws if the lease is over or outlives the entry.
  void publish(claims::UpstreamId upstream, std::string_view token, const claims::TokenKey& key,
               const claims::Entry& entry, const claims::LeaseEnd& end) override;
  BootTime published_until(const claims::TokenKey& key) const override;
  void withdraw(const claims::TokenKey& key) override { published_.erase(key); }
  bool withdraw_token(std::string_view token) override;
  void withdraw_user(claims::UpstreamId upstream, std::string_view user) override;
  void withdraw_all() override { published_.clear(); }

  // What a lookup would find now; null: it would query the daemon.
  const Published* find(const claims::TokenKey& key) const;
  // Clears everything: the daemon is gone, so no worker trusts its map.
  void forget_all() { published_.clear(); }
  std::size_t publications() const { return publications_; }
  std::size_t published() const { return published_.size(); }
  // How often the policy called published_until().
  std::size_t looks() const { return looks_; }

 private:
  const Clock& clock_;
  mutable std::size_t looks_ = 0;
  std::map<claims::TokenKey, Published> published_;
  std::size_t publications_ = 0;
};

// Numbers users and tokens in order of first use.
class FakeFingerprinter final : public claims::Fingerprinter {
 public:
  claims::Fingerprint of_token(std::string_view name) override;
  claims::Fingerprint of_user(claims::UpstreamId upstream, std::string_view user) override;
  std::size_t made() const { return made_; }

 private:
  claims::Fingerprint number(std::string name);
  std::map<std::string, std::uint64_t> numbers_;
  std::size_t made_ = 0;
};

// A revocation log whose writes complete when the test says so.
class FakeRevocationLog final : public claims::RevocationLog {
 public:
  void write(claims::RevocationChange change, Done done) override;

  // Writes all pending changes and reports them as durable. A failed one stays pending.
  void commit();
  // Loses all pending changes, as when the daemon is killed.
  void crash() { waiting_.clear(); }
  std::vector<claims::Rule> rules() const;
  std::vector<claims::Withdrawal> withdrawals() const;
  bool waiting() const { return !waiting_.empty(); }
  Fault write_fault;

 private:
  struct Waiting {
    claims::RevocationChange change;
    Done done;
  };
  void apply(const claims::RevocationChange& change);

  std::vector<Waiting> waiting_;
  std::map<claims::RuleKey, claims::Rule> rules_;
  std::map<claims::ActionId, claims::Withdrawal> withdrawals_;
};

// An audit log whose writes complete when the test says so.
class FakeAuditSink final : public claims::AuditSink {
 public:
  struct Noted {
    claims::AuditedEvent event;  // do not read its views; use the copies below
    std::string token;
    std::string claims;
    std::string route;
    std::string user;
    std::string method;
    std::string required;
    std::string client_address;
    std::string trace_id;
    claims::AuditTicket ticket = 0;
  };
  claims::AuditDecision record(const claims::AuditedEvent& event,
                               claims::AuditTicket ticket) override;

  claims::AuditDecision verdict = claims::AuditDecision::kPending;  // returned for the next records
  std::vector<Noted> noted;                                         // every record

  bool waiting() const { return !waiting_.empty(); }
  // Throws if no record is pending.
  claims::AuditTicket take_oldest();
  void crash() { waiting_.clear(); }

 private:
  std::vector<claims::AuditTicket> waiting_;
};

class FakeObserver final : public claims::Observer {
 public:
  struct Report {
    claims::RequestReport report;  // do not read `detail` here; use the copy below
    std::string detail;
  };
  void request_completed(const claims::RequestReport& report) override {
    reports.push_back({report, std::string(report.detail)});
  }
  std::vector<Report> reports;
};

}  // namespace claimsd::testing
