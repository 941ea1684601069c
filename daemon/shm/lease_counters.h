// lease_counters.h: what the publisher of leases counts, one row each. Status, metrics and
// documentation are made from this table.
//
// Plain integers of the loop thread; they only grow until the daemon restarts.
#pragma once

#include <cstdint>
#include <string_view>

namespace claimsd::daemon {

// C(name, help). The name is the metric's, without "claimsd_" and "_total".
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

struct LeaseCounters {
#define CLAIMSD_COUNTER_MEMBER(name, help) std::uint64_t name = 0;
  CLAIMSD_LEASE_COUNTERS(CLAIMSD_COUNTER_MEMBER)
#undef CLAIMSD_COUNTER_MEMBER
};

// Calls `visit(name, help, value)` for each row.
template <class Visit>
void each_lease_counter(const LeaseCounters& counters, Visit&& visit) {
#define CLAIMSD_COUNTER_VISIT(name, help) \
  visit(std::string_view(#name), std::string_view(help), counters.name);
  CLAIMSD_LEASE_COUNTERS(CLAIMSD_COUNTER_VISIT)
#undef CLAIMSD_COUNTER_VISIT
}

}  // namespace claimsd::daemon
