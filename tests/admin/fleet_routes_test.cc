// The fleet over HTTP: its hosts, and orders that wait for all of them.
#include "daemon/admin/fleet_routes.h"

#include "daemon/http/deferred_response.h"
#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

constexpr claims::ActionId kAction{{7}};

struct Awaiting {
  AdminServices services;
  std::vector<claims::ActionId> awaited;
  std::vector<bool> withdrawals;
  Duration timeout{};
  std::function<void(const fleet::Acknowledgement&)> done;
  bool accepts = true;
  int orders = 0;

  explicit Awaiting(bool in_fleet = true) {
    const auto take = [this](const claims::AdminAction&, const claims::ActionDone& reply) {
      ++orders;
      reply({.durable = true, .id = kAction});
    };
    services.revoke = take;
    services.purge = take;
    services.unrevoke = [this](const auto& id, auto, const claims::ActionDone& reply) {
      ++orders;
      reply({.durable = true, .id = id});
    };
    if (!in_fleet) return;
    services.await_fleet = [this](const claims::ActionId& action, bool is_withdrawal,
                                  Duration limit, auto callback) {
      awaited.push_back(action);
      withdrawals.push_back(is_withdrawal);
      timeout = limit;
      done = std::move(callback);
      return accepts;
    };
  }
  http::Response post(std::string_view path, std::string_view body,
                      std::string_view everywhere = "5") {
    return dispatch(
        services,
        {.method = "POST", .path = path, .body = body, .parameters = {{"everywhere", everywhere}}});
  }
};

bool contains(const http::Response& response, const char* part) {
  return response.body.find(part) != std::string::npos;
}

constexpr std::string_view kUser = R"({"user":"7"})";

}  // namespace

TEST_CASE("an order with everywhere is answered when all hosts have acknowledged it") {
  Awaiting test;
  const http::Response response = test.post("/v1/revoke", kUser, "9");
  REQUIRE(response.later);
  CHECK_FALSE(response.later->ready());
  CHECK(test.awaited == std::vector{kAction});
  CHECK(test.timeout == seconds(9));
  test.done({.hosts = 3, .acknowledged = 3, .knows_all_hosts = true});
  const http::Response said = response.later->take();
  CHECK(said.status == 200);
  CHECK(contains(said, R"("everywhere":{"complete":true,"hosts":3,"acknowledged":3)"));
}

TEST_CASE("an order that not all hosts have acknowledged is 202 and names the missing ones") {
  Awaiting test;
  const http::Response response = test.post("/v1/revoke", kUser);
  test.done(
      {.hosts = 3, .acknowledged = 1, .missing = {"web-2", "web-3"}, .knows_all_hosts = true});
  const http::Response said = response.later->take();
  CHECK(said.status == 202);
  CHECK(contains(said, R"("missing":["web-2","web-3"])"));
}

TEST_CASE("a host that may not know all hosts never says everywhere") {
  Awaiting test;
  const http::Response response = test.post("/v1/revoke", kUser);
  test.done({.hosts = 1, .acknowledged = 1, .knows_all_hosts = false});
  CHECK(response.later->take().status == 202);
}

TEST_CASE("an order that cannot be watched is in effect, but not complete") {
  Awaiting test;
  test.accepts = false;
  const http::Response response = test.post("/v1/revoke", kUser);
  CHECK(response.status == 202);
  CHECK(contains(response, R"("complete":false)"));
}

TEST_CASE("a withdrawal is watched as a withdrawal") {
  Awaiting test;
  test.post("/v1/unrevoke", R"({"id":"07000000000000000000000000000000"})");
  CHECK(test.withdrawals == std::vector{true});
}

TEST_CASE("without a fleet, and for the purge of one token, everywhere is refused first") {
  Awaiting alone(false);
  CHECK(alone.post("/v1/revoke", kUser).status == 409);
  CHECK(alone.orders == 0);
  Awaiting test;
  CHECK(test.post("/v1/purge", R"({"token":"abc"})").status == 400);
  for (const std::string_view bad : {"0", "31", "x", "", "5s"})
    CHECK(test.post("/v1/revoke", kUser, bad).status == 400);
  CHECK(test.orders == 0);
}

TEST_CASE("the route shows each host, and which ones are silent") {
  AdminServices services;
  DaemonStatus status = sample_status();
  status.now = WallTime(seconds(1'700'001'000));
  status.fleet = {.on = true, .name = "prod", .host_name = "web-1"};
  services.status = [&] { return status; };
  services.fleet_hosts = [&](const auto& done) {
    const auto row = [](std::uint8_t id, const char* name, seconds at, bool is_this_host) {
      return fleet::HostStatus{.id = {{id}},
                               .name = name,
                               .version = "0.2.0",
                               .currency = fleet::Currency::kCurrent,
                               .written_at = WallTime(at),
                               .items = 12,
                               .is_this_host = is_this_host};
    };
    done(std::vector{row(1, "web-1", seconds(1'700'000'998), true),
                     row(2, "web-2", seconds(1'700'000'000), false)});
  };
  const http::Response response = dispatch(services, {.method = "GET", .path = "/v1/fleet"});
  CHECK(contains(response, R"("name":"prod","host":"web-1","state":"never_current")"));
  CHECK(contains(response,
                 R"("name":"web-1","version":"0.2.0","state":"current","seen_seconds":2,)"));
  CHECK(contains(response,
                 R"("name":"web-2","version":"0.2.0","state":"silent","seen_seconds":1000,)"));
}

TEST_CASE("without a fleet the route says so") {
  AdminServices services;
  services.status = [] { return DaemonStatus{}; };
  const http::Response response = dispatch(services, {.method = "GET", .path = "/v1/fleet"});
  CHECK(contains(response, R"("fleet":{"on":false},"hosts":[])"));
}

}  // namespace claimsd::admin
