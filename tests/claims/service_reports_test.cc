// Workers' reports of denied requests: which user they are recorded for, and when they are
// acknowledged.
#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using Kind = AuditedEvent::Kind;

namespace {

Policy audited() {
  Policy policy = plain_policy();
  policy.audit = {.failures = true};
  return policy;
}

Report denial(std::string_view token, std::string_view user = {}) {
  return {.uid = 1000,
          .status = 403,
          .token = token,
          .user = user,
          .method = "POST",
          .required = "HasRole(rvt)",
          .origin = {.client_address = "10.0.0.1",
                     .trace_id = "4bf92f3577b34da6",
                     .route = "studies/<int:number>/"}};
}

}  // namespace

TEST_CASE("a report is acknowledged after its record is durable") {
  ServiceHarness world(audited());
  const Waiter waiter = world.report(denial("token", "user-7"));
  CHECK_FALSE(world.receipt(waiter));
  CHECK_FALSE(world.service->idle());
  const FakeAuditSink::Noted& noted = world.audit.noted.at(0);
  CHECK(noted.event.kind == Kind::kReport);
  CHECK(noted.event.status == 403);
  CHECK(noted.event.uid == 1000);
  CHECK(noted.token == "token");
  CHECK(noted.method == "POST");
  CHECK(noted.route == "studies/<int:number>/");
  CHECK(noted.required == "HasRole(rvt)");
  CHECK(noted.client_address == "10.0.0.1");
  CHECK(noted.trace_id == "4bf92f3577b34da6");
  world.write_record();
  CHECK(world.receipt(waiter) == Reason::kOk);
  CHECK(world.service->idle());
  CHECK(world.counters().reports == 1);
}

TEST_CASE(
    "a report is recorded for the user whom the Auth API confirmed, whatever the worker claims") {
  ServiceHarness world(audited());
  world.query_and_complete("known", status(200));
  world.report(denial("known", "user-2"));
  CHECK(world.audit.noted.at(0).user == "user-123");
  CHECK_FALSE(world.audit.noted[0].event.user_is_claimed);
  world.report(denial("unknown", "user-7"));
  CHECK(world.audit.noted.at(1).user == "user-7");
  CHECK(world.audit.noted[1].event.user_is_claimed);
}

TEST_CASE("a report that is not recorded in time is acknowledged as not recorded") {
  ServiceHarness world(audited());
  world.audit.verdict = AuditDecision::kUnavailable;
  CHECK(world.receipt(world.report(denial("token"))) == Reason::kNotRecorded);
  world.audit.verdict = AuditDecision::kPending;
  const Waiter failed = world.report(denial("token"));
  world.write_record(false);
  CHECK(world.receipt(failed) == Reason::kNotRecorded);
  Report hasty = denial("token");
  hasty.timeout = 2s;
  const Waiter late = world.report(hasty);
  world.advance(1999ms);
  CHECK_FALSE(world.receipt(late));
  world.advance(1ms);
  CHECK(world.receipt(late) == Reason::kNotRecorded);
  world.write_record();  // ignored: the deadline has passed
  CHECK(world.counters().reports_unrecorded == 3);
}

TEST_CASE("without an audit log reports are acknowledged as not recorded") {
  ServiceHarness world;
  world.audit.verdict = AuditDecision::kProceed;
  CHECK(world.receipt(world.report(denial("token"))) == Reason::kNotRecorded);
  CHECK(world.audit.noted.empty());
}

TEST_CASE("a reporter that disconnects leaves no state behind") {
  ServiceHarness world(audited());
  const Waiter waiter = world.report(denial("token"));
  world.service->disconnected(1);
  CHECK(world.service->idle());
  world.write_record();
  CHECK_FALSE(world.receipt(waiter));
}

TEST_CASE("unacknowledged reports are recorded with the next accepted report") {
  ServiceHarness world(audited());
  Report late = denial("token");
  late.unacknowledged = 3;
  world.audit.verdict = AuditDecision::kUnavailable;
  world.report(late);
  CHECK(world.audit.noted.size() == 1);  // the worker will send the count again
  world.audit.verdict = AuditDecision::kProceed;
  late.unacknowledged = 4;
  CHECK(world.receipt(world.report(late)) == Reason::kOk);
  REQUIRE(world.audit.noted.size() == 3);
  CHECK(world.audit.noted[2].event.kind == Kind::kLost);
  CHECK(world.audit.noted[2].event.count == 4);
  CHECK(world.counters().reports_lost == 4);
}

TEST_CASE(
    "reports above the rate of their uid are aggregated, and known users have a separate rate") {
  Policy policy = audited();
  policy.reports.per_uid = {.per_second = 2, .burst = 5};
  ServiceHarness world(policy);
  world.audit.verdict = AuditDecision::kProceed;
  world.query_and_complete("known", status(200));
  const auto aggregated = [&](std::string_view token, std::uint32_t uid = 1000) {
    Report report = denial(token, "made-up");
    report.uid = uid;
    CHECK(world.receipt(world.report(report)) == Reason::kOk);
    return world.audit.noted.back().event.aggregated;
  };
  for (int i = 0; i < 5; ++i) CHECK_FALSE(aggregated("unknown"));
  CHECK(aggregated("unknown"));
  CHECK_FALSE(aggregated("unknown", 1001));
  CHECK_FALSE(aggregated("known"));
  world.advance(1s);
  CHECK_FALSE(aggregated("unknown"));
  CHECK_FALSE(aggregated("unknown"));
  CHECK(aggregated("unknown"));
  CHECK(world.counters().reports_aggregated == 2);
}

TEST_CASE("a report's fields that contain the token are not recorded") {
  ServiceHarness world(audited());
  const std::string token = jwt(R"({"jti":1})");
  Report report = denial(token, token);
  const std::string path = "studies/" + token;
  report.method = token;
  report.required = token;
  report.origin = {.client_address = path, .trace_id = token, .route = path};
  world.report(report);
  const FakeAuditSink::Noted& noted = world.audit.noted.at(0);
  for (const std::string& text : {noted.user, noted.method, noted.required, noted.route,
                                  noted.client_address, noted.trace_id})
    CHECK(text.empty());
}
