// counters.h: counters of the HTTP front door, one row each (base/counter_table.h). Loop thread.
#pragma once

#include "daemon/base/counter_table.h"

namespace claimsd::front_door {

// clang-format off
#define CLAIMSD_FRONT_DOOR_COUNTERS(C) \
  C(http_allowed,      "HTTP requests answered 200") \
  C(http_unauthorized, "HTTP requests answered 401") \
  C(http_denied,       "HTTP requests answered 403: no role of the gate matched, or the user may not ask") \
  C(http_unknown,      "HTTP requests answered 404: there is no such gate or document") \
  C(http_unavailable,  "HTTP requests answered 503: there was no verdict") \
  C(http_rejected,     "HTTP requests that were not decided, because their path, method or headers were wrong")
// clang-format on

CLAIMSD_COUNTER_STRUCT(Counters, CLAIMSD_FRONT_DOOR_COUNTERS)

}  // namespace claimsd::front_door
