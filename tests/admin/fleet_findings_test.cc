#include "daemon/admin/fleet_findings.h"

#include <algorithm>

#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

using fleet::Currency;

FleetStatus healthy() {
  FleetStatus status{.on = true, .name = "prod", .host_name = "web-1", .host_file = "/var/lib/x"};
  status.replica.currency = Currency::kCurrent;
  status.replica.answers = true;
  status.replica.clock_ahead = milliseconds(-300);
  status.connected = true;
  return status;
}

std::vector<Finding> judged(const FleetStatus& status) {
  std::vector<Finding> findings;
  assess_fleet(status, findings);
  return findings;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a current host, and one without a fleet, have no finding") {
  CHECK(judged(healthy()).empty());
  CHECK(judged({}).empty());
}

TEST_CASE("every cause of not being current is a finding with a fix") {
  for (const Currency currency :
       {Currency::kNeverCurrent, Currency::kDisconnected, Currency::kNoPulse,
        Currency::kClockDiffers, Currency::kBehind, Currency::kTooOld, Currency::kFull}) {
    INFO(fleet::text_of(currency));
    FleetStatus status = healthy();
    status.replica.currency = currency;
    status.error = "timeout";
    const auto findings = judged(status);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].code == "fleet_not_current");
    CHECK(contains(findings[0].message, "answers queries nevertheless"));
    CHECK_FALSE(findings[0].hint.empty());
    CHECK_FALSE(findings[0].blocks);
  }
}

TEST_CASE("a host that may not answer is not ready") {
  FleetStatus status = healthy();
  status.replica.currency = Currency::kDisconnected;
  status.replica.answers = false;
  status.error = "connection refused";
  const auto findings = judged(status);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].blocks);
  CHECK(contains(findings[0].message, "connection refused"));
  CHECK(contains(findings[0].message, "answers every query unavailable"));
}

TEST_CASE("a clock that differs from that of Redis is named with its direction") {
  FleetStatus status = healthy();
  status.replica.clock_ahead = seconds(40);
  CHECK(contains(judged(status).at(0).message, "40 s ahead of the fleet's"));
  status.replica.clock_ahead = seconds(-7);
  CHECK(contains(judged(status).at(0).message, "7 s behind the fleet's"));
  CHECK(judged(status).at(0).code == "fleet_clock");
}

TEST_CASE("two hosts with one id: the fix names the file to remove") {
  FleetStatus status = healthy();
  status.replica.currency = Currency::kHostIdShared;
  const auto findings = judged(status);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "fleet_host_id_shared");
  CHECK(contains(findings[0].message, "two hosts share a host id"));
  CHECK(contains(findings[0].hint, "/var/lib/x"));
}

TEST_CASE("a user of Redis that may do too much or too little is shown its ACL line") {
  FleetStatus status = healthy();
  status.excess = "read keys of others";
  status.user = "fleet-user";
  CHECK(judged(status).at(0).code == "fleet_user_excess");
  CHECK(
      contains(judged(status).at(0).hint, "user fleet-user on >PASSWORD ~{claimsd:prod}:* -@all"));
  status.excess.clear();
  status.write_error = "NOPERM this user has no permissions to run the 'xadd' command";
  CHECK(judged(status).at(0).code == "fleet_user_lacks");
  status.write_error = "OOM command not allowed when used memory > 'maxmemory'";
  CHECK(judged(status).at(0).code == "fleet_write_refused");
}

}  // namespace claimsd::admin
