#include "daemon/admin/status_line.h"

#include "tests/support/catch.h"

namespace claimsd::admin {

TEST_CASE("the status line of a healthy daemon summarizes its answers") {
  DaemonStatus status;
  CHECK(status_line(status) == "Well: nobody has asked yet; 0 connections, 0 entries");
  status.counters.queries = 1000;
  status.counters.cache_hits = 987;
  status.connections = 4;
  status.entries = 310;
  CHECK(status_line(status) ==
        "Well: 1000 questions, 98.7 % of them answered at once; 4 connections, 310 entries");
}

TEST_CASE("the status line names the most severe finding and its fix") {
  DaemonStatus status;
  UpstreamStatus& upstream = status.upstreams.emplace_back();
  upstream.name = "main";
  upstream.url = "https://auth.example.com";
  upstream.consecutive_failures = 5;
  upstream.last_failure = "upstream_connect: refused\nREADY=1";
  const std::string line = status_line(status);
  CHECK(line.find("Trouble: the Auth API \"main\"") == 0);
  CHECK(line.find("check the Auth API") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);

  status.max_connections = status.connections = 8;
  CHECK(status_line(status).find("all 8 connections are taken") != std::string::npos);
  CHECK(status_line(status).find("(1 more: claimsctl status)") != std::string::npos);
}

TEST_CASE("the status line of a stopping daemon says what it waits for") {
  DaemonStatus status;
  status.stopping = true;
  status.waiting = 3;
  CHECK(status_line(status) == "Stopping: 3 questions in flight are answered first");
}

}  // namespace claimsd::admin
