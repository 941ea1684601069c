// simulation.h: one history: the real ClaimsService in a simulated world, driven by a seed.
//
// Every step is a scheduled event or a wake-up requested by the service. All invariants are checked
// after each step. The same seed and number of events give the same history, regardless of other
// threads. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/admin_actions.h"
#include "tests/sim/auth_api.h"
#include "tests/sim/coverage.h"
#include "tests/sim/invariants.h"
#include "tests/sim/ports.h"
#include "tests/sim/rules.h"
#include "tests/sim/scenario.h"
#include "tests/sim/violation.h"

namespace claimsd::sim {

// Optional parameters of a query.
struct QueryParameters {
  std::optional<Duration> max_age;
  Duration timeout{};
};

class Simulation {
 public:
  Simulation(const Scenario& given, bool print, Coverage& cover, std::vector<Invariant> checked);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  // Runs the history and returns the first violation, if any.
  std::optional<Violation> run();

  // ---- for actions.cc
  // ----------------------------------------------------------------------------

  // Makes a query about this token with random parameters, as its own step.
  void ask_step(TokenNumber token);
  void ask_step(TokenNumber token, const QueryParameters& parameters);
  // Runs `act` as its own step.
  template <class Do>
  void step(std::string_view what, Do&& act) {
    begin_step(what);
    act();
    end_step();
  }
  void disconnect(std::uint64_t connection);
  // Replaces the service with a new instance.
  void restart(bool killed);
  void stop();
  void restart_after(Duration delay);
  // An order about a popular token, its user, or all users.
  void order(bool revokes) { order(revokes, popular_token()); }
  void order(bool revokes, TokenNumber about);
  // Withdraws one of the revocations made so far, or names one that does not exist.
  void withdraw_some();
  // A worker reports that it denied a request with this token.
  void report(TokenNumber about);
  void end_outage_after(claims::UpstreamId upstream, Duration delay);
  // The host may lack revocations of its fleet, until this time has passed.
  void lose_fleet_for(Duration delay);

  TokenNumber popular_token();
  TokenNumber new_token(TokenKind kind);

  Scenario scenario;
  Dice dice;
  SimClock clock;
  Records records;
  Trace trace;
  AuthApi api;
  SimRandom random;
  SimKeyer keyer;
  SimCache cache;
  SimUpstream upstream;
  SimPublisher publisher;
  SimSink sink;
  SimObserver observer;
  SimFingerprinter fingerprinter;
  SimRevocationLog revocation_log;
  SimAuditSink audit;
  Coverage& coverage;
  std::unique_ptr<claims::ClaimsService> service;
  std::vector<TokenNumber> known;  // most popular first

 private:
  enum class EventKind : std::uint8_t {
    kAsk,
    kServed,
    kCompleted,
    kEndOutage,
    kRestart,
    kFleetFound,
    kLogWritten,
    kAuditWritten
  };
  struct Event {
    BootTime at;
    std::uint64_t tie = 0;
    EventKind kind = EventKind::kAsk;
    std::uint32_t which = 0;
    bool operator>(const Event& other) const {
      return at != other.at ? at > other.at : tie > other.tie;
    }
  };

  void begin_step(std::string_view what);
  void end_step();
  void schedule(Duration in, EventKind kind, std::uint32_t which = 0);
  void next_event();
  void happen(const Event& event);
  void tick();
  void busy_day();
  void set_complete(bool complete);
  void query(TokenNumber token, const QueryParameters& parameters);
  QueryParameters draw_parameters();
  void react(const QueryRecord& answered);
  void served(RequestNumber number);
  void completed(RequestNumber number);
  void note_check(TokenRecord& token, Meaning meaning);
  bool has_room(const TokenRecord& token, std::uint32_t uid) const;
  bool refresh_due(const TokenRecord& token) const;
  bool stored_and_fresh(const TokenRecord& token, const std::optional<Duration>& max_age);
  void check();
  void wait_for_the_last();
  ActionRecord draw_order(bool revokes, TokenNumber about);
  void carry_out(std::size_t number);
  void became_durable(const claims::RevocationChange& change);
  void forget_reports(std::uint64_t connection);

  std::vector<Invariant> invariants_;
  std::vector<Event> queue_;  // a heap
  std::uint64_t steps_ = 0;
  unsigned reactions_ = 0;  // nesting depth
  bool log_busy_ = false;
  bool audit_busy_ = false;
  bool over_ = false;  // no new queries
  std::optional<Violation> violation_;
};

}  // namespace claimsd::sim
