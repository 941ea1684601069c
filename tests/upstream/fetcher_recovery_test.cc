// Connections that fail although the Auth API works: frozen, closed on reuse, or leading to an
// instance that was replaced.
#include <unistd.h>

#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using claims::Connect;
using claims::FetchOutcome;
using proto::Reason;

// Makes `count` connections, each with a request that succeeded.
void fill_pool(Fetching& fetching, std::size_t count) {
  std::vector<claims::FlightId> ids;
  for (std::size_t i = 0; i < count; ++i)
    ids.push_back(fetching.start("header.payload" + std::to_string(i) + ".signature"));
  for (const claims::FlightId id : ids) REQUIRE(fetching.wait_for(id).failure == Reason::kOk);
}

TEST_CASE("one timeout over a kept connection drops a frozen pool") {
  const std::size_t pool = GENERATE(1U, 8U, 40U);
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "old-silent");
  settings.timeout = seconds(2);
  Fetching fetching({settings});
  fill_pool(fetching, pool);
  const int before = server.connections("old-silent");
  server.post("/_deploy");
  const FetchOutcome frozen = fetching.fetch();
  CHECK(frozen.failure == Reason::kUpstreamTimeout);
  CHECK(frozen.reused);
  const FetchOutcome next = fetching.fetch();
  CHECK(next.status == 200);
  CHECK_FALSE(next.reused);
  CHECK(server.connections("old-silent") == before + 1);
}

TEST_CASE("a 5xx over a kept connection drops the pool") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "old-503")});
  fill_pool(fetching, 8);
  server.post("/_deploy");
  const FetchOutcome old = fetching.fetch();
  CHECK(old.status == 503);
  CHECK(old.reused);
  CHECK(fetching.fetch().status == 200);
}

TEST_CASE("a connection that answered 5xx is not used again") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "status-503")});
  for (int i = 0; i < 3; ++i) CHECK_FALSE(fetching.fetch().reused);
  CHECK(server.connections("status-503") == 3);
}

TEST_CASE("a server that closes each connection on its reuse fails no request") {
  test::FaultServer& server = fresh_fault_server();
  SECTION("one request after the other") {
    Fetching fetching({upstream_of(server, "stale-race")});
    for (int i = 0; i < 40; ++i) CHECK(fetching.fetch().failure == Reason::kOk);
  }
  SECTION("a whole pool at once") {
    Fetching fetching({upstream_of(server, "old-closes")});
    fill_pool(fetching, 40);
    server.post("/_deploy");
    fill_pool(fetching, 40);
  }
}

TEST_CASE("a request with a new connection leaves the kept ones alone") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok")});
  CHECK(fetching.fetch().status == 200);
  CHECK(fetching.wait_for(fetching.start(kToken, 0, 0, Connect::kFresh)).status == 200);
  CHECK(server.connections("ok") == 2);
  CHECK(fetching.fetch().reused);
  CHECK(server.connections("ok") == 2);
}

TEST_CASE("dropped connections finish their requests and get no other") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "gate")});
  const claims::FlightId running = fetching.start();
  fetching.wait_for_server(server, "gate", 1);
  fetching.drop_connections();
  server.post("/_open");
  CHECK(fetching.wait_for(running).status == 200);
  CHECK_FALSE(fetching.fetch().reused);
  CHECK(server.connections("gate") == 2);
}

TEST_CASE("the outcome has the age of a kept connection") {
  Fetching fetching({upstream_of(fresh_fault_server(), "ok")});
  const Duration begin = loop::Loop::hrtime();
  const FetchOutcome first = fetching.fetch();
  CHECK_FALSE(first.reused);
  CHECK(first.connection_age == Duration(0));
  usleep(20'000);
  const FetchOutcome second = fetching.fetch();
  CHECK(second.reused);
  CHECK(second.connection_age >= milliseconds(20));
  CHECK(second.connection_age <= loop::Loop::hrtime() - begin);
}

TEST_CASE("a connection is not used beyond connection_max_age") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "ok");
  SECTION("0: each request has its own") {
    settings.connection_max_age = seconds(0);
    Fetching fetching({settings});
    for (int i = 0; i < 3; ++i) CHECK_FALSE(fetching.fetch().reused);
    CHECK(server.connections("ok") == 3);
  }
  SECTION("libcurl counts in whole seconds") {
    settings.connection_max_age = seconds(1);
    Fetching fetching({settings});
    CHECK_FALSE(fetching.fetch().reused);
    CHECK(fetching.fetch().reused);
    usleep(2'050'000);
    CHECK_FALSE(fetching.fetch().reused);
  }
}

TEST_CASE("HTTP/2: a silent connection is dropped at the first timeout") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "any", "https_http2");
  settings.http2 = true;
  settings.timeout = seconds(1);
  Fetching fetching({settings});
  fill_pool(fetching, 8);
  server.post("/_http2?old=silent");
  CHECK(fetching.fetch().failure == Reason::kUpstreamTimeout);
  CHECK(fetching.fetch().status == 200);
}

TEST_CASE("HTTP/2: streams that a GOAWAY left unprocessed are repeated") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "any", "https_http2");
  settings.http2 = true;
  Fetching fetching({settings});
  REQUIRE(fetching.fetch().status == 200);
  server.post("/_http2?old=goaway");
  fill_pool(fetching, 20);
  CHECK(test::json_number(server.get("/_http2"), "connections") >= 2);
}

TEST_CASE("a server that wants a client certificate has one reason, whatever it does then") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok", "https_client_cert")});
  std::vector<claims::FlightId> ids;
  for (int i = 0; i < 60; ++i) ids.push_back(fetching.start());
  for (const claims::FlightId id : ids)
    CHECK(fetching.wait_for(id).failure == Reason::kUpstreamCertificate);
  CHECK(server.requests("ok") == 0);
}

}  // namespace
}  // namespace claimsd::upstream
