// linear_probing.h: deletion for open-addressing hash tables.
#pragma once

#include <cstddef>
#include <vector>

namespace claimsd {

// Frees the place `gap` by moving up later elements whose probe sequence passes it, so no
// tombstones are needed (Knuth, TAOCP vol. 3, section 6.4, algorithm R). The table's size must be a
// power of two, with at least one free place, equal to Place{}. `hash_of(place)` returns the hash
// at which the place's probe sequence starts.
template <class Slot, class Allocator, class HashOf>
void close_gap(std::vector<Slot, Allocator>& places, std::size_t gap, const HashOf& hash_of) {
  const std::size_t mask = places.size() - 1;
  for (std::size_t at = (gap + 1) & mask; places[at] != Slot{}; at = (at + 1) & mask) {
    const std::size_t home = hash_of(places[at]) & mask;
    // It stays where it is if its probe sequence starts after the gap.
    const bool behind_gap = ((at - home) & mask) < ((at - gap) & mask);
    if (behind_gap) continue;
    places[gap] = places[at];
    gap = at;
  }
  places[gap] = Slot{};
}

}  // namespace claimsd
