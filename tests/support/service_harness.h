// service_harness.h: a ClaimsService with fake dependencies, and shorthand for tests of it.
//
// Owns the fakes and the service. restart() replaces the service and keeps cache, keyer and clocks.
// Single-threaded.
#pragma once

#include <memory>

#include "daemon/claims/service.h"
#include "tests/support/fake_world.h"

namespace claimsd::testing {

// One Auth API and no jitter, so that tests can state exact times.
claims::Policy plain_policy();

// A JWT with this payload and an invalid signature.
std::string jwt(std::string_view payload);
// A JWT that expires `in` after the start of FakeClock; a different one for each `number`.
std::string jwt_expiring(Duration in, int number = 0);

// A typical body of the Auth API.
inline constexpr std::string_view kClaimsBody =
    R"({"id": "user-123", "email": "tech@example.com", "role": "rvt"})";
claims::FetchOutcome status(int status, std::string_view body = kClaimsBody);
claims::FetchOutcome failed(proto::Reason reason);
// A 200 with Cache-Control and Age.
claims::FetchOutcome confirmed(std::string_view cache_control, std::string_view age = "");

// How a query differs from the default.
struct QueryParameters {
  std::optional<Duration> max_age = {};
  Duration timeout = {};
  std::uint64_t connection = 1;
  claims::UpstreamId upstream = 0;
  bool wants_lease = false;
  std::uint32_t uid = 0;
  std::string_view client_address = {};
  std::string_view route = {};
};

class ServiceHarness {
 public:
  explicit ServiceHarness(claims::Policy policy = plain_policy(), std::uint64_t seed = 1);

  claims::Waiter query(std::string_view token, const QueryParameters& parameters = {});
  // Completes a request.
  void complete(claims::FlightId id, const claims::FetchOutcome& outcome);
  void complete_oldest(const claims::FetchOutcome& outcome);
  void complete_for(std::string_view token, const claims::FetchOutcome& outcome);
  // Sends a query and, if it reaches the Auth API, completes that request with the outcome.
  RecordedAnswer query_and_complete(std::string_view token, const claims::FetchOutcome& outcome,
                                    const QueryParameters& parameters = {});
  // Sends a query. Throws unless it is answered immediately.
  RecordedAnswer query_now(std::string_view token, const QueryParameters& parameters = {});

  // Sends a report on connection 1.
  claims::Waiter report(const claims::Report& report);
  std::optional<proto::Reason> receipt(const claims::Waiter& waiter) const {
    return sink.receipt_of(waiter);
  }

  bool answered(const claims::Waiter& waiter) const { return sink.find(waiter) != nullptr; }
  // Throws if there is no answer.
  const RecordedAnswer& answer(const claims::Waiter& waiter) const;
  proto::Reason reason(const claims::Waiter& waiter) const { return answer(waiter).answer.reason; }

  // Advances the clocks. Calls tick() whenever the service asked for it.
  void advance(Duration by);
  // Executes an order, writes it to the log, and returns the service's result.
  claims::ActionResult purge(const claims::AdminAction& action);
  claims::ActionResult revoke(const claims::AdminAction& action);
  claims::ActionResult unrevoke(const claims::ActionId& action);
  // Completes the oldest audit record that an answer waits for. Throws if there is none.
  void write_record(bool durable = true);
  // Replaces the service. The new one gets the cache, revocations and fakes, but no open queries.
  void restart();

  claims::TokenKey key_of(std::string_view token) { return keyer.key_of(0, token); }
  const claims::Counters& counters() const { return service->counters(); }

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
  FakeAuditSink audit;
  claims::Policy policy;  // used by the next restart()
  std::unique_ptr<claims::ClaimsService> service;

 private:
  std::uint32_t next_request_ = 1;
};

}  // namespace claimsd::testing
