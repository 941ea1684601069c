// report.h: what a worker tells of a request that it refused, and how much of that each peer may
// have written out. Pure; loop thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/claims/audit/audit_trail.h"
#include "daemon/claims/upstream/token_bucket.h"

namespace claimsd::daemon {

// Views, read during the call.
struct Report {
  UpstreamId upstream = 0;
  std::uint32_t uid = 0;                      // who reports
  Duration timeout{};                         // for how long; 0: the policy's longest
  int status = 0;                             // of HTTP: what the request was answered
  proto::Reason reason = proto::Reason::kOk;  // of the answer that led to it; kOk: a permission did
  std::string_view token;                     // "": none
  std::string_view user;                      // as the worker says
  std::string_view method;
  std::string_view required;         // what the permission asked for
  Origin origin;                     // its route is a pattern
  std::uint32_t unacknowledged = 0;  // earlier ones, as the worker says
};

// Beyond it they are counted together: a peer that invents refusals fills neither the disk nor, by
// way of retention, pushes out what others have on record. Users whom the daemon itself knows have
// a budget of their own, so that a flood of unknown ones costs no known one a record.
struct ReportPolicy {
  Rate per_uid{.per_second = 100, .burst = 1'000};
  std::size_t max_uids = 1'024;
  friend bool operator==(const ReportPolicy&, const ReportPolicy&) = default;
};

}  // namespace claimsd::daemon
