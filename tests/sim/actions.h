// actions.h: what can go wrong or change beside the questions themselves, one row each.
#pragma once

#include <span>
#include <string_view>

namespace claimsd::sim {

class Simulation;

struct Action {
  std::string_view name;
  unsigned weight;  // how often, among the others
  void (*act)(Simulation&);
};

std::span<const Action> actions();
// Does one of them.
void something_happens(Simulation& simulation);

}  // namespace claimsd::sim
