// Reports over a session: granted by the handshake, checked, acknowledged.
#include "tests/server/session_fixture.h"

namespace claimsd::server {
namespace {

using proto::FailureCode;
using proto::Reason;

// A session whose daemon keeps an audit log.
struct ReportFixture : Fixture {
  ReportFixture() {
    context.takes_reports = true;
    claims::Policy policy = testing::plain_policy();
    policy.audit.failures = true;
    harness.service->reconfigure(policy);
  }
  std::uint64_t greet(std::uint64_t features) {
    consume(frame(
        proto::Hello{
            .version_min = proto::kVersion, .version_max = proto::kVersion, .features = features},
        1));
    return wire.take().welcome->features;
  }
  void report(std::uint32_t request, std::uint16_t status = 403) {
    harness.sink.expect_receipt({kConnection, request});
    session.consume(frame(proto::Report{.timeout_ms = 1000,
                                        .unacknowledged = 2,
                                        .status = status,
                                        .token = "token-a",
                                        .user = "user-7",
                                        .method = "POST",
                                        .route = "studies/",
                                        .required = "HasRole(rvt)"},
                          request));
  }
};

TEST_CASE("a report is recorded with the fields of its frame, then acknowledged") {
  ReportFixture fixture;
  CHECK(fixture.greet(proto::kFeatureReports) == proto::kFeatureReports);
  fixture.session.set_peer(1000, nullptr);
  fixture.report(9);
  CHECK(fixture.wire.empty());
  CHECK(fixture.session.open_queries() == 1);
  const auto& noted = fixture.harness.audit.noted.at(0);
  CHECK(noted.event.uid == 1000);
  CHECK(noted.event.waiter.connection == kConnection);
  CHECK(noted.event.status == 403);
  CHECK(noted.token == "token-a");
  CHECK(noted.user == "user-7");
  CHECK(noted.method == "POST");
  CHECK(noted.route == "studies/");
  CHECK(noted.required == "HasRole(rvt)");
  CHECK(fixture.harness.audit.noted.at(1).event.count == 2);
  fixture.harness.write_record();
  const Received received = fixture.wire.take();
  CHECK(received.request == 9);
  CHECK(received.receipt == Reason::kOk);
  CHECK(fixture.session.open_queries() == 0);
}

TEST_CASE("reports are granted only on request, and only if an audit log is kept") {
  ReportFixture older;
  CHECK(older.greet(0) == 0);
  Fixture without;
  without.consume(frame(proto::Hello{1, 1, proto::kFeatureReports}, 1));
  CHECK(without.wire.take().welcome->features == 0);
}

TEST_CASE("without the reports feature a report is an unknown message") {
  ReportFixture fixture;
  fixture.greet(0);
  fixture.report(9);
  CHECK(fixture.wire.take().failure == FailureCode::kUnknownMessage);
  CHECK_FALSE(fixture.wire.hung_up);
  CHECK(fixture.harness.audit.noted.empty());
}

TEST_CASE("a report with a status outside 400 to 599 ends the connection") {
  for (const int status : {0, 200, 399, 600}) {
    ReportFixture fixture;
    fixture.greet(proto::kFeatureReports);
    fixture.report(9, static_cast<std::uint16_t>(status));
    CHECK(fixture.wire.take().failure == FailureCode::kBadFrame);
    CHECK(fixture.wire.hung_up);
    CHECK(fixture.harness.audit.noted.empty());
  }
}

TEST_CASE("reports over the rate limit make their connection wait") {
  ReportFixture fixture;
  claims::Policy policy = testing::plain_policy();
  policy.audit.failures = true;
  policy.reports.per_uid = {.per_second = 1, .burst = 1};
  fixture.harness.service->reconfigure(policy);
  fixture.greet(proto::kFeatureReports);
  fixture.report(2);
  CHECK(fixture.session.rate_limited() == 0);
  fixture.report(3);
  CHECK(fixture.session.rate_limited() == 1);
}

}  // namespace
}  // namespace claimsd::server
