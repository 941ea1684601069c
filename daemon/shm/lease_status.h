// lease_status.h: the state of the shared map, for the status and the metrics.
#pragma once

#include <cstdint>

#include "daemon/shm/lease_counters.h"

namespace claimsd::shm {

// The shared map of leases.
struct LeaseStatus {
  bool wanted = false;         // daemon.shared_memory
  bool unclean_start = false;  // the previous daemon was killed
  std::uint64_t slots = 0;     // 0: there is no map, every question comes over the socket
  std::uint64_t used = 0;
  std::uint64_t epoch = 0;  // how often all were withdrawn at once
  LeaseCounters counters;
};

}  // namespace claimsd::shm
