// lease_counters.h: counters of the lease publisher, one row each (base/counter_table.h). Loop
// thread.
#pragma once

#include "daemon/base/counter_table.h"

namespace claimsd::daemon {

// clang-format off
#define CLAIMSD_LEASE_COUNTERS(C) \
  C(leases_published,       "Leases published for tokens that were not in the shared map") \
  C(leases_renewed,         "Leases published again for tokens that were in the shared map") \
  C(leases_withdrawn,       "Leases withdrawn before they expired") \
  C(leases_withdrawn_all,   "Times that all leases were withdrawn at once") \
  C(lease_collisions,       "Leases withdrawn early because another token needed the slot: raise cache.map_slots") \
  C(leases_declined_short,  "Leases not published because the token is short enough to be guessed") \
  C(leases_declined_large,  "Leases not published because the claims do not fit in a slot") \
  C(leases_declined_failed, "Leases not published because they could not be sealed")
// clang-format on

CLAIMSD_COUNTER_STRUCT(LeaseCounters, CLAIMSD_LEASE_COUNTERS)

}  // namespace claimsd::daemon
