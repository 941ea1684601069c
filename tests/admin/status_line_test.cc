#include "daemon/admin/status_line.h"

#include "tests/support/catch.h"

namespace claimsd::admin {

TEST_CASE("the status line of a healthy daemon summarizes its answers") {
  DaemonStatus status;
  CHECK(status_line(status) == "Healthy: no lookups yet; 0 connections, 0 cached entries");
  status.counters.queries = 1000;
  status.counters.cache_hits = 987;
  status.connections = 4;
  status.entries = 310;
  CHECK(status_line(status) ==
        "Healthy: 1000 lookups, 98.7 % from a cache; 4 connections, 310 cached entries");
  status.server_counters.worker_hits = 12'000;
  CHECK(status_line(status) ==
        "Healthy: 13000 lookups, 99.9 % from a cache; 4 connections, 310 cached entries");
}

TEST_CASE("the status line names the most severe finding and its fix") {
  DaemonStatus status;
  UpstreamStatus& upstream = status.upstreams.emplace_back();
  upstream.name = "main";
  upstream.url = "https://auth.example.com";
  upstream.consecutive_failures = 5;
  upstream.last_failure = "upstream_connect: refused\nREADY=1";
  const std::string line = status_line(status);
  CHECK(line.find("Degraded: the last 5 requests to the Auth API \"main\"") == 0);
  CHECK(line.find("check the Auth API") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);

  status.max_connections = status.connections = 8;
  CHECK(status_line(status).find("8 connections are open, the maximum") != std::string::npos);
  CHECK(status_line(status).find("(1 more: claimsctl status)") != std::string::npos);
}

TEST_CASE("the status line of a stopping daemon says what it waits for") {
  DaemonStatus status;
  status.stopping = true;
  status.waiting = 3;
  CHECK(status_line(status) == "Stopping: 3 queries to answer first");
}

}  // namespace claimsd::admin
