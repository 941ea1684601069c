// upstream_tester.h: sends single requests to an Auth API on behalf of an operator (claimsctl
// test-upstream), past cache, circuit breaker and rate limits, and describes what comes back. The
// answer changes nothing: it is neither cached nor counted.
//
// Owned by the composition root; loop thread. The constructor's arguments must outlive it. Each accepted request calls
// its `done` exactly once, within the upstream's timeout.
#pragma once

#include <functional>
#include <map>

#include "daemon/admin/upstream_test.h"
#include "daemon/claims/ports.h"
#include "daemon/claims/upstream/response_class.h"
#include "daemon/config/config.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

class UpstreamTester {
 public:
  static constexpr std::size_t kMaxTests = 4;  // at once

  UpstreamTester(claims::Upstream& upstream, Log& log) : upstream_(upstream), log_(log) {}

  // `name`: of the upstream; "": the default one. `who`: the operator, for the log.
  admin::TestStart start(const config::Config& config, std::string_view name,
                         std::string_view token, std::string_view who,
                         admin::UpstreamTestDone done);
  // False: the request is not one of a test.
  bool on_complete(claims::FlightId id, const claims::FetchOutcome& outcome);

 private:
  struct Test {
    claims::UpstreamPolicy policy;
    Secret token;
    admin::UpstreamTestDone done;
  };
  // The service numbers its requests from 1.
  static constexpr claims::FlightId kFirst = claims::FlightId{1} << 63;

  claims::Upstream& upstream_;
  Log& log_;
  claims::FlightId next_ = kFirst;
  std::map<claims::FlightId, Test> tests_;
};

}  // namespace claimsd::daemon
