#include <filesystem>
#include <fstream>

#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

TEST_CASE("a server with a valid certificate is used") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok", "https")});
  for (int i = 0; i < 3; ++i) {
    const claims::FetchOutcome outcome = fetching.fetch();
    INFO(outcome.detail);
    CHECK(outcome.status == 200);
  }
  CHECK(server.connections("ok") == 1);
}

TEST_CASE("a server with an invalid certificate never receives a token") {
  test::FaultServer& server = fresh_fault_server();
  const std::string listener =
      GENERATE("https_wrong_name", "https_expired", "https_not_yet_valid", "https_self_signed");
  INFO(listener);
  Fetching fetching({upstream_of(server, "ok", listener)});
  const claims::FetchOutcome outcome = fetching.fetch();
  INFO(outcome.detail);
  CHECK(outcome.failure == Reason::kUpstreamTls);
  CHECK_FALSE(outcome.detail.empty());
  CHECK(server.requests("ok") == 0);
}

TEST_CASE(
    "without ca_file the system's CA certificates apply, and a private CA is not among them") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "ok", "https");
  settings.ca_file.clear();
  Fetching fetching({settings});
  CHECK(fetching.fetch().failure == Reason::kUpstreamTls);
  CHECK(server.requests("ok") == 0);
}

TEST_CASE("a server that requests a client certificate gets ours") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "ok", "https_client_cert");
  settings.client_certificate = server.tls_file("client.pem");
  settings.client_key = server.tls_file("client.key");
  Fetching fetching({settings});
  const claims::FetchOutcome outcome = fetching.fetch();
  INFO(outcome.detail);
  CHECK(outcome.status == 200);
}

TEST_CASE("a handshake that hangs fails after connect_timeout") {
  UpstreamSettings settings = upstream_of(fresh_fault_server(), "ok", "https_silent");
  settings.connect_timeout = milliseconds(200);
  Fetching fetching({settings});
  CHECK(fetching.fetch().failure == Reason::kUpstreamTimeout);
}

TEST_CASE("http and https ports are never mixed up") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "ok");
  settings.connect_timeout = milliseconds(300);
  SECTION("https to an http port") {
    settings.url = "https://127.0.0.1:" + std::to_string(server.port("http")) + "/ok";
    Fetching fetching({settings});
    CHECK(fetching.fetch().failure != Reason::kOk);
  }
  SECTION("http to an https port") {
    settings.url = "http://127.0.0.1:" + std::to_string(server.port("https")) + "/ok";
    Fetching fetching({settings});
    CHECK(fetching.fetch().failure != Reason::kOk);
  }
  CHECK(server.requests("ok") == 0);
}

}  // namespace
}  // namespace claimsd::upstream
