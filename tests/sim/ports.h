// ports.h: fast fakes of the core's ports. Each port writes what happens through it into Records,
// where the invariants check it.
//
// tests/support/fake_world.h has fakes for unit tests that record more detail but take ten times as
// long. One thread; all ports must outlive the service.
#pragma once

#include <functional>
#include <string>

#include "daemon/base/random.h"
#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/revocations.h"
#include "tests/sim/dice.h"
#include "tests/sim/health.h"
#include "tests/sim/records.h"
#include "tests/sim/trace.h"

namespace claimsd::sim {

class SimClock final : public daemon::Clock {
 public:
  daemon::Now now() const override { return now_; }
  // Advances both clocks; never backwards.
  void reach(daemon::BootTime at) {
    if (at > now_.boot) pass(at - now_.boot);
  }
  void pass(daemon::Duration by) {
    now_.boot += by;
    now_.wall += by;
  }
  // Sets the wall clock.
  void step_wall(daemon::Duration by) { now_.wall += by; }

 private:
  // Some time after boot, and 2026-01-01T00:00:00Z.
  daemon::Now now_{daemon::BootTime(daemon::seconds(1000)),
                   daemon::WallTime(daemon::seconds(1'767'225'600))};
};

class SimRandom final : public daemon::Random {
 public:
  explicit SimRandom(std::uint64_t seed) : dice_(seed) {}
  void fill(void* out, std::size_t size) override;

 private:
  Dice dice_;
};

class SimKeyer final : public daemon::Keyer {
 public:
  daemon::TokenKey key_of(daemon::UpstreamId upstream, std::string_view token) override {
    return Records::key_of(upstream, token);
  }
};

class SimFingerprinter final : public daemon::Fingerprinter {
 public:
  daemon::Fingerprint of_token(std::string_view token) override {
    return Records::key_of(1000, token);
  }
  daemon::Fingerprint of_user(daemon::UpstreamId upstream, std::string_view user) override {
    return Records::key_of(static_cast<daemon::UpstreamId>(2000 + upstream), user);
  }
};

// A slow disk that may fail.
class SimRevocationLog final : public daemon::RevocationLog {
 public:
  void keep(std::vector<daemon::Rule> rules, Done done) override {
    waiting_.push_back({std::move(rules), std::move(done)});
  }
  void drop(std::vector<daemon::RuleName> names) override;

  bool waiting() const { return !waiting_.empty(); }
  void write();
  void lose() { waiting_.clear(); }
  const std::vector<daemon::Rule>& kept() const { return kept_; }
  unsigned failing_writes = 0;

 private:
  struct Waiting {
    std::vector<daemon::Rule> rules;
    Done done;
  };
  void forget(const daemon::RuleName& name);

  std::vector<Waiting> waiting_;
  std::vector<daemon::Rule> kept_;
};

// Behaves like daemon/store/: a kill loses recent puts but no erasures; after a failed erasure, the
// next start discards everything.
class SimCache final : public daemon::ClaimsCache {
 public:
  SimCache(Records& records, const daemon::Clock& clock, Trace& trace, std::size_t bytes)
      : records_(records), clock_(clock), trace_(trace), bytes_(bytes) {}

  std::optional<daemon::Entry> find(const daemon::TokenKey& key) override;
  daemon::Stored put(const daemon::TokenKey& key, const daemon::Entry& entry) override;
  bool erase(const daemon::TokenKey& key) override;
  void each(const std::function<void(const daemon::TokenKey&, daemon::BootTime)>& visit) override;
  std::size_t entries() const override { return records_.kept; }

  // Number of calls of each kind that will fail next.
  unsigned failing_finds = 0;
  unsigned failing_puts = 0;
  unsigned failing_erases = 0;

  // Writes pending entries to the file.
  void flush();
  // Simulates a restart. `killed`: pending entries are lost.
  void reopen(bool killed);

 private:
  void drop(daemon::Duration of);
  void scribble();

  Records& records_;
  const daemon::Clock& clock_;
  Trace& trace_;
  std::size_t bytes_;
  std::size_t used_ = 0;
  bool damaged_ = false;
  std::vector<TokenNumber> waiting_;
  daemon::BootTime due_{};
  std::string scratch_;
};

class SimUpstream final : public daemon::Upstream {
 public:
  SimUpstream(Records& records, const daemon::Clock& clock, Trace& trace)
      : records_(records), clock_(clock), trace_(trace) {}
  void start(daemon::FlightId id, daemon::UpstreamId upstream, std::size_t url,
             const daemon::Secret& token) override;

  // Decides whether a request that starts now is allowed. Indexed by upstream.
  std::array<UpstreamHealth, 2> health;
  // Counts the request that completed in this step, unless it is retried.
  void note_completion();

 private:
  bool was_due(TokenNumber number) const;

  Records& records_;
  const daemon::Clock& clock_;
  Trace& trace_;
};

class SimPublisher final : public daemon::Publisher {
 public:
  SimPublisher(Records& records, const daemon::Clock& clock, Trace& trace)
      : records_(records), clock_(clock), trace_(trace) {}
  void publish(daemon::UpstreamId upstream, std::string_view token, const daemon::TokenKey& key,
               const daemon::Entry& entry, const daemon::LeaseEnd& end) override;
  daemon::BootTime published_until(const daemon::TokenKey& key) const override;
  void withdraw(const daemon::TokenKey& key) override;
  void withdraw_user(daemon::UpstreamId upstream, std::string_view user) override;
  void withdraw_all() override;

 private:
  Records& records_;
  const daemon::Clock& clock_;
  Trace& trace_;
};

class SimSink final : public daemon::AnswerSink {
 public:
  SimSink(Records& records, const daemon::Clock& clock, Trace& trace)
      : records_(records), clock_(clock), trace_(trace) {}
  void answer(const daemon::Waiter& waiter, const daemon::Answer& answer) override;
  void receipt(const daemon::Waiter& waiter, proto::Reason reason) override;
  // Notes an answer that is decided but waits for its record.
  void decided(QueryNumber query, proto::Reason reason, proto::Source source);

  // Called after an answer: what the client does next.
  std::function<void(const QueryRecord&)> react;
  std::function<void()> before;
  // True if a refresh-ahead is due for this token.
  std::function<bool(const TokenRecord&)> due;

 private:
  AnswerRecord record_of(QueryNumber number, proto::Reason reason, proto::Source source) const;

  Records& records_;
  const daemon::Clock& clock_;
  Trace& trace_;
};

// A simulated audit log. If not slow, answers are recorded and sent immediately. If slow, it writes
// in commits, which take time and may fail; answers, leases and receipts wait for theirs.
class SimAuditSink final : public daemon::AuditSink {
 public:
  SimAuditSink(Records& records, const daemon::Clock& clock, SimSink& sink,
               const daemon::TtlPolicy& ttl)
      : records_(records), clock_(clock), sink_(sink), ttl_(ttl) {}
  daemon::AuditDecision record(const daemon::AuditedEvent& event,
                               daemon::AuditTicket ticket) override;

  bool waiting() const { return !waiting_.empty(); }
  // Starts a commit of everything that waits. Later records wait for the next commit.
  void begin_commit();
  // Ends the commit: its records are durable or lost.
  void end_commit();
  // Simulates a restart of the daemon.
  void lose();

  bool slow = false;
  unsigned failing = 0;          // number of next records that are refused
  unsigned failing_commits = 0;  // number of next commits that fail
  std::function<void(daemon::AuditTicket, bool durable)> complete;

 private:
  struct Waiting {
    daemon::AuditTicket ticket = 0;
    std::optional<QueryNumber> query;
    std::optional<ReportNumber> report;
    std::string lease;  // the token of a lease
    proto::Reason reason = proto::Reason::kOk;
  };
  daemon::AuditDecision record_report(const daemon::AuditedEvent& event, Waiting one);
  daemon::AuditDecision take(Waiting one);
  HeldRecord held_record(const daemon::AuditedEvent& event) const;
  void written(const Waiting& one);

  Records& records_;
  const daemon::Clock& clock_;
  SimSink& sink_;
  const daemon::TtlPolicy& ttl_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting> committing_;
};

class SimObserver final : public daemon::Observer {
 public:
  void request_completed(const daemon::RequestReport&) override {}
};

}  // namespace claimsd::sim
