#include "tests/upstream/fetching.h"

#include <signal.h>

namespace claimsd::upstream {

test::FaultServer& fresh_fault_server() {
  static test::FaultServer server;
  signal(SIGPIPE, SIG_IGN);  // as main() of the daemon does
  server.reset();
  return server;
}

Fetching::Fetching(std::vector<UpstreamSettings> upstreams) {
  auto upstream = FetchThread::create(
      std::move(upstreams),
      [this](claims::FlightId id, claims::FetchOutcome outcome) {
        twice |= !completed.emplace(id, std::move(outcome)).second;
      },
      *loop, log_);
  INFO((upstream ? "" : upstream.error().message));
  REQUIRE(upstream);
  upstream_ = std::move(*upstream);
}

claims::FlightId Fetching::start(std::string_view token, claims::UpstreamId upstream,
                                 std::size_t url, claims::Connect connect) {
  const std::size_t before = completed.size();
  upstream_->start(++last_, upstream, url, Secret(token), connect);
  REQUIRE(completed.size() == before);  // never from within start()
  return last_;
}

claims::FetchOutcome Fetching::fetch(std::string_view token, claims::UpstreamId upstream,
                                     std::size_t url) {
  return wait_for(start(token, upstream, url));
}

claims::FetchOutcome Fetching::wait_for(claims::FlightId id) {
  test::run_until(*loop, [&] { return completed.contains(id); });
  return std::move(completed[id]);
}

void Fetching::wait_for_all() {
  test::run_until(
      *loop, [&] { return completed.size() == last_; }, seconds(60));
  REQUIRE_FALSE(twice);
}

void Fetching::wait_for_server(const test::FaultServer& server, const std::string& mode,
                               int count) {
  test::run_until(*loop, [&] { return server.requests(mode) >= count; });
}

UpstreamSettings upstream_of(const test::FaultServer& server, std::string_view mode,
                             std::string_view listener) {
  UpstreamSettings settings;
  settings.name = "test";
  settings.url = server.url(mode, listener);
  // Long enough for any machine; tests of timeouts set their own.
  settings.timeout = seconds(20);
  settings.connect_timeout = seconds(10);
  if (listener.starts_with("https")) settings.ca_file = server.tls_file("ca.pem");
  return settings;
}

}  // namespace claimsd::upstream
