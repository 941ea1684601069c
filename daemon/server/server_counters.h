// server_counters.h: counters of the claims socket, one row each (base/counter_table.h). Owned by
// Server; loop thread.
#pragma once

#include "daemon/base/counter_table.h"

namespace claimsd::server {

// clang-format off
#define CLAIMSD_SERVER_COUNTERS(C) \
  C(worker_hits,          "Lookups that workers answered themselves, as they report with their queries") \
  C(connections_accepted, "Connections accepted on the claims socket") \
  C(connections_refused,  "Connections rejected: user not allowed, or connection limit reached") \
  C(connections_cut_off,  "Connections closed because the peer did not complete the handshake or read its answers in time")
// clang-format on

CLAIMSD_COUNTER_STRUCT(Counters, CLAIMSD_SERVER_COUNTERS)

}  // namespace claimsd::server
