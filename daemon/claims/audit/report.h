// report.h: a worker's report of a request that it denied, and the rate limit on recording reports.
// Pure; loop thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "daemon/claims/audit/audit_sink.h"
#include "daemon/claims/upstream/token_bucket.h"

namespace claimsd::claims {

// All views are valid during the call only.
struct Report {
  UpstreamId upstream = 0;
  std::uint32_t uid = 0;  // of the reporting worker
  Duration timeout{};     // 0: the policy's maximum
  int status = 0;         // HTTP status that the worker returned
  // Of the answer that caused the denial; kOk: a permission check failed.
  proto::Reason reason = proto::Reason::kOk;
  std::string_view token;  // "": none
  std::string_view user;   // as claimed by the worker
  std::string_view method;
  std::string_view required;  // the permission that was required
  Origin origin;              // its route is a pattern
  // Earlier reports without an acknowledgment, as counted by the worker.
  std::uint32_t unacknowledged = 0;
};

// Reports above the rate are aggregated, so a peer that invents denials can neither fill the disk
// nor push others' records out through retention. Users known to the daemon have a separate limit,
// so that a flood of unknown users does not cost them their records.
struct ReportPolicy {
  Rate per_uid{.per_second = 100, .burst = 1'000};
  std::size_t max_uids = 1'024;
  friend bool operator==(const ReportPolicy&, const ReportPolicy&) = default;
};

}  // namespace claimsd::claims
