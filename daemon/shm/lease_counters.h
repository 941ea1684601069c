// lease_counters.h: counters of the lease publisher, one row each (base/counter_table.h). Loop
// thread.
#pragma once

#include "daemon/base/counter_table.h"

namespace claimsd::shm {

// clang-format off
#define CLAIMSD_LEASE_COUNTERS(C) \
  C(leases_published,       "Leases shown in the shared map for tokens that were not in it") \
  C(leases_renewed,         "Leases shown anew for tokens that were in it") \
  C(leases_withdrawn,       "Leases taken out of the map before their end") \
  C(leases_withdrawn_all,   "Times that all leases were taken out of the map at once") \
  C(lease_collisions,       "Leases that had to go early because another token needed the place: raise cache.map_slots") \
  C(leases_declined_short,  "Leases not shown because the token is too short to be unguessable") \
  C(leases_declined_large,  "Leases not shown because the claims do not fit a slot") \
  C(leases_declined_failed, "Leases not shown because they could not be sealed")
// clang-format on

CLAIMSD_COUNTER_STRUCT(LeaseCounters, CLAIMSD_LEASE_COUNTERS)

}  // namespace claimsd::shm
