// fake_world.h: the outside world of ClaimsService, made up: clocks one can step, randomness one
// can replay, a cache that fails when told to, an Auth API whose answers land when the test says
// so.
//
// Deterministic: the same calls and seeds give the same run. Each fake checks the contract of
// ports.h from its side and throws std::logic_error when the policy breaks it. Knows nothing of
// Catch2, so that a simulator can use it, too. One thread; each fake outlives the service.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/audit/audit_trail.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/revocations.h"

namespace claimsd::testing {

// Two clocks that move only when told to.
class FakeClock final : public daemon::Clock {
 public:
  daemon::Now now() const override { return now_; }
  // Time passes, on both.
  void advance(daemon::Duration by) {
    now_.boot += by;
    now_.wall += by;
  }
  // Somebody sets the wall clock; negative: back.
  void step_wall(daemon::Duration by) { now_.wall += by; }
  // What a real clock never does; to build an order of events that cannot come about otherwise.
  void step_boot(daemon::Duration by) { now_.boot += by; }

 private:
  // Some time after boot, and 2026-01-01T00:00:00Z.
  daemon::Now now_{daemon::BootTime(daemon::seconds(1000)),
                   daemon::WallTime(daemon::seconds(1'767'225'600))};
};

// splitmix64 (Steele, Lea, Flood 2014): all of its state is its seed.
class SeededRandom final : public daemon::Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(void* out, std::size_t size) override;
  std::uint64_t next();

 private:
  std::uint64_t state_;
};

// Numbers each pair of upstream and token as it first sees it: no two share a key.
class FakeKeyer final : public daemon::Keyer {
 public:
  daemon::TokenKey key_of(daemon::UpstreamId upstream, std::string_view token) override;

 private:
  std::map<std::pair<daemon::UpstreamId, std::string>, std::uint64_t> numbers_;
};

// The key with this number, spread like a hash; and back.
daemon::TokenKey numbered_key(std::uint64_t number);
std::uint64_t number_of(const daemon::TokenKey& key);

// Fails calls by countdown: after `delay` good ones, the next `times`.
class Fault {
 public:
  void arm(std::size_t delay, std::size_t times) {
    delay_ = delay;
    times_ = times;
  }
  void disarm() { times_ = 0; }
  // True when this call has to fail.
  bool strikes();

 private:
  std::size_t delay_ = 0;
  std::size_t times_ = 0;
};

// A map. What find() returns lies in memory that the next call scribbles over.
class FakeCache final : public daemon::ClaimsCache {
 public:
  std::optional<daemon::Entry> find(const daemon::TokenKey& key) override;
  daemon::Stored put(const daemon::TokenKey& key, const daemon::Entry& entry) override;
  bool erase(const daemon::TokenKey& key) override;
  void each(const std::function<void(const daemon::TokenKey&, daemon::BootTime)>& visit) override;
  std::size_t entries() const override { return kept_.size(); }
  std::optional<daemon::TokenKey> scan(
      const std::optional<daemon::TokenKey>& after, std::size_t most,
      const std::function<void(const daemon::TokenKey&, const daemon::Entry&)>& visit) override;

  bool holds(const daemon::TokenKey& key) const { return kept_.count(key) != 0; }

  Fault find_fault;                 // then it finds nothing
  Fault put_fault;                  // then kFailed, and what was there stays
  Fault erase_fault;                // then false, and the entry stays
  std::size_t capacity = SIZE_MAX;  // bytes of claims; more is kFull

 private:
  struct Kept {
    daemon::Entry entry;
    std::string claims;
  };
  void scribble();

  std::map<daemon::TokenKey, Kept> kept_;
  std::size_t bytes_ = 0;
  std::string scratch_;
};

// Keeps what was asked of it until the test lands it.
class FakeUpstream final : public daemon::Upstream {
 public:
  struct Flying {
    daemon::FlightId id = 0;
    daemon::UpstreamId upstream = 0;
    std::string token;
    std::size_t url = 0;
  };

  // Throws when an equal request is on its way already.
  void start(daemon::FlightId id, daemon::UpstreamId upstream, std::size_t url,
             const daemon::Secret& token) override;

  // What is on its way, oldest first.
  const std::vector<Flying>& flying() const { return flying_; }
  // Takes one of them out, to be landed. Throws when there is none.
  Flying take(daemon::FlightId id);
  Flying take_oldest();
  Flying take_for(std::string_view token);
  // All requests so far.
  std::size_t requests() const { return requests_; }
  // The daemon is gone, and its connections with it.
  void hang_up() { flying_.clear(); }

 private:
  std::vector<Flying> flying_;
  std::size_t requests_ = 0;
};

// An Answer that keeps its claims.
struct RecordedAnswer {
  daemon::Answer answer;  // `claims` is not to be read: see below
  std::string claims;
  daemon::Now at;
};

// Takes answers; throws when a waiter gets a second one, or one that never asked, or claims go with
// anything but kOk.
class RecordingSink final : public daemon::AnswerSink {
 public:
  explicit RecordingSink(const daemon::Clock& clock) : clock_(clock) {}

  void answer(const daemon::Waiter& waiter, const daemon::Answer& answer) override;
  void receipt(const daemon::Waiter& waiter, proto::Reason reason) override;

  // Announces a question.
  void expect(const daemon::Waiter& waiter);
  // Null: not answered (yet).
  const RecordedAnswer* find(const daemon::Waiter& waiter) const;
  // The same of a report: its receipt.
  void expect_receipt(const daemon::Waiter& waiter);
  std::optional<proto::Reason> receipt_of(const daemon::Waiter& waiter) const;
  // Waiters in the order in which they were answered.
  const std::vector<daemon::Waiter>& order() const { return order_; }
  std::size_t open() const { return open_; }

  // Called at the end of each answer(), to do what a sink may: hang up, ask again.
  std::function<void(const daemon::Waiter&)> on_answer;
  std::function<void(const daemon::Waiter&)> on_receipt;

 private:
  using Id = std::pair<std::uint64_t, std::uint32_t>;
  const daemon::Clock& clock_;
  std::map<Id, std::optional<RecordedAnswer>> answers_;
  std::map<Id, std::optional<proto::Reason>> receipts_;
  std::vector<daemon::Waiter> order_;
  std::size_t open_ = 0;
};

// What the workers can see, by key.
class FakePublisher final : public daemon::Publisher {
 public:
  struct Shown {
    daemon::UpstreamId upstream = 0;
    std::string user;  // its id claim
    std::string claims;
    daemon::BootTime confirmed_at;
    daemon::LeaseEnd end;
  };

  explicit FakePublisher(const daemon::Clock& clock) : clock_(clock) {}

  // Throws when the lease has ended, or ends after the entry's life.
  void publish(daemon::UpstreamId upstream, std::string_view token, const daemon::TokenKey& key,
               const daemon::Entry& entry, const daemon::LeaseEnd& end) override;
  daemon::BootTime shown_until(const daemon::TokenKey& key) const override;
  void withdraw(const daemon::TokenKey& key) override { shown_.erase(key); }
  void withdraw_user(daemon::UpstreamId upstream, std::string_view user) override;
  void withdraw_all() override { shown_.clear(); }

  // What a lookup that begins now would find; null: it would ask the daemon.
  const Shown* find(const daemon::TokenKey& key) const;
  // The daemon is gone: its map is believed by nobody.
  void forget_all() { shown_.clear(); }
  std::size_t publications() const { return publications_; }
  std::size_t shown() const { return shown_.size(); }
  // How often the policy had to ask what is shown.
  std::size_t looks() const { return looks_; }

 private:
  const daemon::Clock& clock_;
  mutable std::size_t looks_ = 0;
  std::map<daemon::TokenKey, Shown> shown_;
  std::size_t publications_ = 0;
};

// Numbers users and tokens as it first sees them.
class FakeFingerprinter final : public daemon::Fingerprinter {
 public:
  daemon::Fingerprint of_token(std::string_view token) override;
  daemon::Fingerprint of_user(daemon::UpstreamId upstream, std::string_view user) override;
  std::size_t made() const { return made_; }

 private:
  daemon::Fingerprint number(std::string name);
  std::map<std::string, std::uint64_t> numbers_;
  std::size_t made_ = 0;
};

// A disk that is as slow as the test wants it to be.
class FakeRevocationLog final : public daemon::RevocationLog {
 public:
  void keep(std::vector<daemon::Rule> rules, Done done) override;
  void drop(std::vector<daemon::RuleName> names) override;

  // Writes what waits, and tells.
  void write();
  // The daemon was killed: what was not written yet is lost.
  void crash() { waiting_.clear(); }
  std::vector<daemon::Rule> kept() const;
  bool waiting() const { return !waiting_.empty(); }
  Fault write_fault;

 private:
  struct Waiting {
    std::vector<daemon::Rule> rules;
    Done done;
  };
  std::vector<Waiting> waiting_;
  std::map<std::pair<daemon::RuleKind, daemon::Fingerprint>, daemon::Rule> kept_;
};

// An audit log that is as slow as the test wants it to be.
class FakeAuditTrail final : public daemon::AuditTrail {
 public:
  struct Noted {
    daemon::AuditedEvent event;  // its views are not to be read: see below
    std::string token;
    std::string claims;
    std::string route;
    std::string user;
    std::string method;
    std::string required;
    std::string client_address;
    std::string trace_id;
    daemon::AuditTicket ticket = 0;
  };
  daemon::AuditVerdict record(const daemon::AuditedEvent& event,
                              daemon::AuditTicket ticket) override;

  daemon::AuditVerdict verdict = daemon::AuditVerdict::kWait;  // what it says of the next ones
  std::vector<Noted> noted;                                    // all of them

  bool waiting() const { return !waiting_.empty(); }
  // Throws when nobody waits.
  daemon::AuditTicket take_oldest();
  void crash() { waiting_.clear(); }

 private:
  std::vector<daemon::AuditTicket> waiting_;
};

class FakeObserver final : public daemon::Observer {
 public:
  struct Report {
    daemon::FlightReport report;  // `detail` is not to be read: see below
    std::string detail;
  };
  void flight_landed(const daemon::FlightReport& report) override {
    reports.push_back({report, std::string(report.detail)});
  }
  std::vector<Report> reports;
};

}  // namespace claimsd::testing
