// actions.h: the faults and changes that the simulator injects between queries, one row each.
#pragma once

#include <span>
#include <string_view>

namespace claimsd::sim {

class Simulation;

struct Action {
  std::string_view name;
  unsigned weight;  // relative frequency
  void (*act)(Simulation&);
};

std::span<const Action> actions();
// Draws one action and performs it.
void something_happens(Simulation& simulation);

}  // namespace claimsd::sim
