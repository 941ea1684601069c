// service_harness.h: a ClaimsService in a made-up world, with the few words that tests of it are
// written in.
//
// Owns the world and the service. The service can be restarted; cache, keyer and clocks live on.
// One thread.
#pragma once

#include <memory>

#include "daemon/claims/service.h"
#include "tests/support/fake_world.h"

namespace claimsd::testing {

// One Auth API, no jitter: what a test says of times is then exact.
daemon::Policy plain_policy();

// A JWT with this payload. Its signature is nobody's.
std::string jwt(std::string_view payload);
// A JWT of its own for each `number` that expires `in` from the start of FakeClock.
std::string jwt_expiring(daemon::Duration in, int number = 0);

// What an Auth API sends.
inline constexpr std::string_view kClaimsBody =
    R"({"id": "user-123", "email": "tech@example.com", "role": "rvt"})";
daemon::FetchOutcome status(int status, std::string_view body = kClaimsBody);
daemon::FetchOutcome failed(proto::Reason reason);
// A 200 with Cache-Control and Age.
daemon::FetchOutcome confirmed(std::string_view cache_control, std::string_view age = "");

// How a question differs from the plain one.
struct Asking {
  std::optional<daemon::Duration> max_age = {};
  daemon::Duration timeout = {};
  std::uint64_t connection = 1;
  daemon::UpstreamId upstream = 0;
  bool wants_lease = false;
  std::uint32_t uid = 0;
  std::string_view client_address = {};
  std::string_view route = {};
};

class ServiceHarness {
 public:
  explicit ServiceHarness(daemon::Policy policy = plain_policy(), std::uint64_t seed = 1);

  daemon::Waiter ask(std::string_view token, const Asking& asking = {});
  // Ends a request.
  void land(daemon::FlightId id, const daemon::FetchOutcome& outcome);
  void land_oldest(const daemon::FetchOutcome& outcome);
  void land_for(std::string_view token, const daemon::FetchOutcome& outcome);
  // Asks and, where the Auth API is asked, lands the outcome at once.
  RecordedAnswer ask_and_land(std::string_view token, const daemon::FetchOutcome& outcome,
                              const Asking& asking = {});
  // Asks; the answer must come at once. Throws when it does not.
  RecordedAnswer ask_now(std::string_view token, const Asking& asking = {});

  // Reports a refusal, on connection 1.
  daemon::Waiter report(const daemon::Report& report);
  std::optional<proto::Reason> receipt(const daemon::Waiter& waiter) const {
    return sink.receipt_of(waiter);
  }

  bool answered(const daemon::Waiter& waiter) const { return sink.find(waiter) != nullptr; }
  // Throws when there is no answer.
  const RecordedAnswer& answer(const daemon::Waiter& waiter) const;
  proto::Reason reason(const daemon::Waiter& waiter) const { return answer(waiter).answer.reason; }

  // Time passes; tick() is called whenever the service has asked for it.
  void advance(daemon::Duration by);
  // Carries an order out and writes it down; what the service said of it.
  daemon::OrderResult purge(const daemon::Order& order);
  daemon::OrderResult revoke(const daemon::Order& order);
  // The audit log completes the oldest record that an answer waits for; throws when there is none.
  void write_record(bool durable = true);
  // A new service takes over cache, revocations and world; questions that were open are not.
  void restart();

  daemon::TokenKey key_of(std::string_view token) { return keyer.key_of(0, token); }
  const daemon::Counters& counters() const { return service->counters(); }

  FakeClock clock;
  SeededRandom random;
  FakeKeyer keyer;
  FakeCache cache;
  FakeUpstream upstream;
  RecordingSink sink{clock};
  FakeObserver observer;
  FakePublisher publisher{clock};
  FakeFingerprinter fingerprinter;
  FakeRevocationLog revocation_log;
  FakeAuditTrail audit;
  daemon::Policy policy;  // of the next restart()
  std::unique_ptr<daemon::ClaimsService> service;

 private:
  std::uint32_t next_request_ = 1;
};

}  // namespace claimsd::testing
