// linear_probing.h: what the tables with open addressing share: how a place becomes free again.
#pragma once

#include <cstddef>
#include <vector>

namespace claimsd::daemon {

// Frees the place `gap` of a table with a power of two of places, of which some are free, that is,
// Place{}: what follows is moved up where its search passes the gap (Knuth, TAOCP 3, 6.4, algorithm
// R), so that nothing has to be cleaned up. `hash_of(place)` is the hash that a search begins with.
template <class Place, class Allocator, class HashOf>
void close_gap(std::vector<Place, Allocator>& places, std::size_t gap, const HashOf& hash_of) {
  const std::size_t mask = places.size() - 1;
  for (std::size_t at = (gap + 1) & mask; places[at] != Place{}; at = (at + 1) & mask) {
    const std::size_t home = hash_of(places[at]) & mask;
    // Stays where it is if its search begins behind the gap.
    const bool behind_gap = ((at - home) & mask) < ((at - gap) & mask);
    if (behind_gap) continue;
    places[gap] = places[at];
    gap = at;
  }
  places[gap] = Place{};
}

}  // namespace claimsd::daemon
