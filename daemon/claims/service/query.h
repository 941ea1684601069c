// query.h: a query as it reaches the service. A plain value; loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/base/clock.h"
#include "daemon/claims/origin.h"
#include "daemon/claims/parse/token.h"
#include "daemon/claims/parse/trace_id.h"

namespace claimsd::claims {

struct Query {
  UpstreamId upstream = 0;
  std::string_view token;           // valid during the call only
  std::optional<Duration> max_age;  // nullopt: any age; 0: ask the Auth API now
  Duration timeout{};               // 0: the policy's maximum
  bool wants_lease = false;         // the client reads the shared map first
  bool wants_document = false;      // Answer::document
  std::uint32_t uid = 0;            // of the client process
  Origin origin;                    // the client's own client; valid during the call only
};

// The query's origin without the parts that must not be logged.
inline Origin loggable_origin(const Query& query) {
  Origin origin = query.origin;
  origin.trace_id = loggable_trace_id(origin.trace_id, query.token);
  return origin;
}

}  // namespace claimsd::claims
