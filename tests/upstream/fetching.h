// fetching.h: a FetchThread and what it has delivered, for the tests. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/upstream/fetch_thread.h"
#include "tests/support/fault_server.h"
#include "tests/support/loop_runner.h"

namespace claimsd::upstream {

inline constexpr std::string_view kToken = "header.payload.signature";

// The program's single server, reset between tests.
test::FaultServer& fresh_fault_server();

class Fetching {
 public:
  explicit Fetching(std::vector<UpstreamSettings> upstreams);

  // Starts a flight and returns its id.
  claims::FlightId start(std::string_view token = kToken, claims::UpstreamId upstream = 0,
                         std::size_t url = 0, claims::Connect connect = claims::Connect::kReuse);
  void drop_connections() { upstream_->drop_connections(0, 0); }
  // Starts a flight and waits for its outcome.
  claims::FetchOutcome fetch(std::string_view token = kToken, claims::UpstreamId upstream = 0,
                             std::size_t url = 0);
  claims::FetchOutcome wait_for(claims::FlightId id);
  void wait_for_all();
  // Waits until the server has received `count` requests in this mode.
  void wait_for_server(const test::FaultServer& server, const std::string& mode, int count);
  // Cancels all requests in flight.
  void destroy() { upstream_.reset(); }

  std::map<claims::FlightId, claims::FetchOutcome> completed;
  bool twice = false;  // a flight was delivered more than once
  std::unique_ptr<loop::Loop> loop = test::new_loop();

 private:
  claims::FlightId last_ = 0;
  NullLog log_;
  std::unique_ptr<FetchThread> upstream_;
};

// An upstream that uses this mode of the fault server.
UpstreamSettings upstream_of(const test::FaultServer& server, std::string_view mode,
                             std::string_view listener = "http");

}  // namespace claimsd::upstream
