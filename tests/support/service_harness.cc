#include "tests/support/service_harness.h"

#include <fmt/core.h>

#include <stdexcept>

namespace claimsd::testing {

using namespace claims;

namespace {

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kLetters[(bits >> (count - 6)) & 63];
  }
  if (count > 0) out += kLetters[(bits << (6 - count)) & 63];
  return out;
}

}  // namespace

Policy plain_policy() {
  Policy policy;
  policy.ttl.jitter_percent = 0;
  policy.ttl.refresh_percent = 0;
  policy.breaker.failure_threshold = 1'000'000;
  policy.upstreams = {UpstreamPolicy{.name = "main"}};
  return policy;
}

std::string jwt(std::string_view payload) {
  return base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(payload) + ".c2lnbmF0dXJl";
}

std::string jwt_expiring(Duration in, int number) {
  const WallTime at = FakeClock().now().wall + in;
  const auto ns = at.time_since_epoch().count();
  return jwt(fmt::format(R"({{"exp":{}.{:09},"jti":{}}})", ns / 1'000'000'000, ns % 1'000'000'000,
                         number));
}

FetchOutcome status(int status, std::string_view body) {
  FetchOutcome outcome;
  outcome.status = status;
  outcome.body = Secret(body);
  return outcome;
}

FetchOutcome failed(proto::Reason reason) {
  FetchOutcome outcome;
  outcome.failure = reason;
  return outcome;
}

FetchOutcome confirmed(std::string_view cache_control, std::string_view age) {
  FetchOutcome outcome = status(200);
  outcome.cache_control = cache_control;
  outcome.age = age;
  return outcome;
}

ServiceHarness::ServiceHarness(Policy given, std::uint64_t seed)
    : random(seed), policy(std::move(given)) {
  restart();
}

Waiter ServiceHarness::query(std::string_view token, const QueryParameters& parameters) {
  const Waiter waiter{parameters.connection, next_request_++};
  sink.expect(waiter);
  service->query(Query{.upstream = parameters.upstream,
                       .token = token,
                       .max_age = parameters.max_age,
                       .timeout = parameters.timeout,
                       .wants_lease = parameters.wants_lease,
                       .uid = parameters.uid,
                       .origin = {.client_address = parameters.client_address,
                                  .trace_id = {},
                                  .route = parameters.route}},
                 waiter);
  return waiter;
}

Waiter ServiceHarness::report(const Report& report) {
  const Waiter waiter{1, next_request_++};
  sink.expect_receipt(waiter);
  service->report(report, waiter);
  return waiter;
}

void ServiceHarness::complete(FlightId id, const FetchOutcome& outcome) {
  static_cast<void>(upstream.take(id));
  service->on_complete(id, outcome);
}

void ServiceHarness::complete_oldest(const FetchOutcome& outcome) {
  service->on_complete(upstream.take_oldest().id, outcome);
}

void ServiceHarness::complete_for(std::string_view token, const FetchOutcome& outcome) {
  service->on_complete(upstream.take_for(token).id, outcome);
}

RecordedAnswer ServiceHarness::query_and_complete(std::string_view token,
                                                  const FetchOutcome& outcome,
                                                  const QueryParameters& parameters) {
  const Waiter waiter = query(token, parameters);
  if (!answered(waiter)) complete_for(token, outcome);
  return answer(waiter);
}

RecordedAnswer ServiceHarness::query_now(std::string_view token,
                                         const QueryParameters& parameters) {
  return answer(query(token, parameters));
}

const RecordedAnswer& ServiceHarness::answer(const Waiter& waiter) const {
  const RecordedAnswer* const found = sink.find(waiter);
  if (found == nullptr) throw std::logic_error("there is no answer yet");
  return *found;
}

void ServiceHarness::advance(Duration by) {
  while (const auto wait = service->wait_time()) {
    if (*wait > by) break;
    clock.advance(*wait);
    by -= *wait;
    service->tick();
    if (service->wait_time() == Duration(0))
      throw std::logic_error("tick() did not process an event that was due");
  }
  clock.advance(by);
  service->tick();
}

ActionResult ServiceHarness::purge(const AdminAction& action) {
  std::optional<ActionResult> result;
  service->purge(action, [&](const ActionResult& got) { result = got; });
  revocation_log.commit();
  return result.value();
}

ActionResult ServiceHarness::revoke(const AdminAction& action) {
  std::optional<ActionResult> result;
  service->revoke(action, [&](const ActionResult& got) { result = got; });
  revocation_log.commit();
  return result.value();
}

void ServiceHarness::write_record(bool durable) {
  service->recorded(audit.take_oldest(), durable);
}

ActionResult ServiceHarness::unrevoke(const ActionId& action) {
  ActionResult result;
  service->unrevoke(action, 0, [&](const ActionResult& got) { result = got; });
  revocation_log.commit();
  return result;
}

void ServiceHarness::restart() {
  service.reset();
  upstream.hang_up();
  revocation_log.crash();
  audit.crash();
  service = std::make_unique<ClaimsService>(
      policy, Dependencies{clock, random, keyer, cache, upstream, sink, observer, publisher,
                           fingerprinter, revocation_log, audit});
  service->restore(revocation_log.rules(), revocation_log.withdrawals());
}

}  // namespace claimsd::testing
