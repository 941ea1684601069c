// ports.h: fast fakes of the core's ports. Each port writes what happens through it into Records,
// where the invariants check it.
//
// tests/support/fake_world.h has fakes for unit tests that record more detail but take ten times as
// long. One thread; all ports must outlive the service.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/base/random.h"
#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/revocation/revocations.h"
#include "daemon/claims/revocation/set_head.h"
#include "tests/sim/connections.h"
#include "tests/sim/dice.h"
#include "tests/sim/health.h"
#include "tests/sim/records.h"
#include "tests/sim/trace.h"

namespace claimsd::sim {

class SimClock final : public Clock {
 public:
  Now now() const override { return now_; }
  // Advances both clocks; never backwards.
  void reach(BootTime at) {
    if (at > now_.boot) pass(at - now_.boot);
  }
  void pass(Duration by) {
    now_.boot += by;
    now_.wall += by;
  }
  // Sets the wall clock.
  void step_wall(Duration by) { now_.wall += by; }

 private:
  // Some time after boot, and 2026-01-01T00:00:00Z.
  Now now_{BootTime(seconds(1000)), WallTime(seconds(1'767'225'600))};
};

class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : dice_(seed) {}
  void fill(void* out, std::size_t size) override;

 private:
  Dice dice_;
};

class SimKeyer final : public claims::Keyer {
 public:
  claims::TokenKey key_of(claims::UpstreamId upstream, std::string_view token) override {
    return Records::key_of(upstream, token);
  }
};

class SimFingerprinter final : public claims::Fingerprinter {
 public:
  claims::Fingerprint of_token(std::string_view name) override {
    return Records::key_of(1000, name);
  }
  claims::Fingerprint of_user(claims::UpstreamId upstream, std::string_view user) override {
    return Records::key_of(static_cast<claims::UpstreamId>(2000 + upstream), user);
  }
};

// A slow disk that may fail, and that may be replaced by an older copy. Behaves like
// daemon/store/revocation_writer.h and daemon/revocation_setup.h.
class SimRevocationLog final : public claims::RevocationLog {
 public:
  void write(claims::RevocationChange change, Done done) override {
    if (!change.rules.empty()) last_action = change.rules.front().key.action;
    waiting_.push_back({std::move(change), std::move(done)});
  }
  std::optional<claims::ActionId> last_action;  // that was passed to write()

  bool waiting() const { return !waiting_.empty(); }
  // Writes what waits. A change that fails is reported, and tried again by the next call.
  void commit();
  void lose() { waiting_.clear(); }
  // The operator restores an older copy of the set, and perhaps loses one copy of the head.
  void restore_older(Dice& dice);
  // What the next daemon starts with: the set in place, or, if the copies of the head refuse it,
  // the newest one, which the operator then restores.
  void start();

  const std::map<claims::RuleKey, claims::Rule>& rules() const { return set_.rules; }
  const std::map<claims::ActionId, claims::Withdrawal>& withdrawals() const {
    return set_.withdrawals;
  }
  unsigned failing_writes = 0;
  // A change is on disk, perhaps long after its callback.
  std::function<void(const claims::RevocationChange&)> on_durable;

 private:
  struct Waiting {
    claims::RevocationChange change;
    Done done;
  };
  struct Set {
    claims::SetHead head;
    std::map<claims::RuleKey, claims::Rule> rules;
    std::map<claims::ActionId, claims::Withdrawal> withdrawals;
  };
  void apply(const claims::RevocationChange& change);

  static constexpr std::size_t kOldCopies = 8;
  std::vector<Waiting> waiting_;
  Set set_;
  Set newest_;                              // what was written last
  std::vector<Set> older_;                  // backups
  std::vector<claims::SetHead> copies_{2};  // of the head
};

// Behaves like daemon/store/: a kill loses nothing; after a failed erasure, the next start discards
// everything.
class SimCache final : public claims::ClaimsCache {
 public:
  SimCache(Records& records, const Clock& clock, Trace& trace, std::size_t bytes)
      : records_(records), clock_(clock), trace_(trace), bytes_(bytes) {}

  std::optional<claims::Entry> find(const claims::TokenKey& key) override;
  claims::Stored put(const claims::TokenKey& key, const claims::Entry& entry) override;
  bool erase(const claims::TokenKey& key) override;
  void each(const std::function<void(const claims::TokenKey&, BootTime)>& visit) override;
  std::size_t entries() const override { return records_.kept; }

  // Number of calls of each kind that will fail next.
  unsigned failing_finds = 0;
  unsigned failing_puts = 0;
  unsigned failing_erases = 0;

  // Simulates a restart.
  void reopen();

 private:
  void drop(Duration of);
  void scribble();

  Records& records_;
  const Clock& clock_;
  Trace& trace_;
  std::size_t bytes_;
  std::size_t used_ = 0;
  bool damaged_ = false;
  std::string scratch_;
};

class SimUpstream final : public claims::Upstream {
 public:
  SimUpstream(Records& records, const Clock& clock, Trace& trace, const claims::Policy& policy)
      : records_(records), clock_(clock), trace_(trace), policy_(policy) {}
  void start(claims::FlightId id, claims::UpstreamId upstream, std::size_t url, const Secret& token,
             claims::Connect connect) override;

  void drop_connections(claims::UpstreamId upstream, std::size_t /*url*/) override {
    pools[upstream].drop();
  }

  // Indexed by upstream, as is `health`.
  std::array<ConnectionPool, 2> pools;
  // Decides whether a request that starts now is allowed.
  std::array<UpstreamHealth, 2> health;
  // Counts the request that completed in this step, unless it is retried.
  void note_completion();

 private:
  bool was_due(TokenNumber number) const;
  const char* forbids_again(const RequestRecord& before, const RequestRecord& again) const;

  Records& records_;
  const Clock& clock_;
  Trace& trace_;
  const claims::Policy& policy_;
};

class SimPublisher final : public claims::Publisher {
 public:
  SimPublisher(Records& records, const Clock& clock, Trace& trace)
      : records_(records), clock_(clock), trace_(trace) {}
  void publish(claims::UpstreamId upstream, std::string_view token, const claims::TokenKey& key,
               const claims::Entry& entry, const claims::LeaseEnd& end) override;
  BootTime published_until(const claims::TokenKey& key) const override;
  void withdraw(const claims::TokenKey& key) override;
  bool withdraw_token(std::string_view token) override;
  void withdraw_user(claims::UpstreamId upstream, std::string_view user) override;
  void withdraw_all() override;

 private:
  Records& records_;
  const Clock& clock_;
  Trace& trace_;
};

class SimSink final : public claims::AnswerSink {
 public:
  SimSink(Records& records, const Clock& clock, Trace& trace)
      : records_(records), clock_(clock), trace_(trace) {}
  void answer(const claims::Waiter& waiter, const claims::Answer& answer) override;
  void receipt(const claims::Waiter& waiter, proto::Reason reason) override;
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
  const Clock& clock_;
  Trace& trace_;
};

// A simulated audit log. If not slow, answers are recorded and sent immediately. If slow, it writes
// in commits, which take time and may fail; answers, leases and receipts wait for theirs.
class SimAuditSink final : public claims::AuditSink {
 public:
  SimAuditSink(Records& records, const Clock& clock, SimSink& sink, const claims::TtlPolicy& ttl)
      : records_(records), clock_(clock), sink_(sink), ttl_(ttl) {}
  claims::AuditDecision record(const claims::AuditedEvent& event,
                               claims::AuditTicket ticket) override;

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
  std::function<void(claims::AuditTicket, bool durable)> complete;

 private:
  struct Waiting {
    claims::AuditTicket ticket = 0;
    std::optional<QueryNumber> query;
    std::optional<ReportNumber> report;
    std::string lease;  // the token of a lease
    proto::Reason reason = proto::Reason::kOk;
  };
  claims::AuditDecision record_report(const claims::AuditedEvent& event, Waiting one);
  claims::AuditDecision take(Waiting one);
  HeldRecord held_record(const claims::AuditedEvent& event) const;
  void written(const Waiting& one);

  Records& records_;
  const Clock& clock_;
  SimSink& sink_;
  const claims::TtlPolicy& ttl_;
  std::vector<Waiting> waiting_;
  std::vector<Waiting> committing_;
};

class SimObserver final : public claims::Observer {
 public:
  void request_completed(const claims::RequestReport&) override {}
};

}  // namespace claimsd::sim
