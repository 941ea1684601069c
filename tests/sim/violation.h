// violation.h: how a history broke an invariant. A value.
#pragma once

#include <cstdint>
#include <string>

namespace claimsd::sim {

struct Violation {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::string invariant;
  std::string found;
  std::string trace;
};

}  // namespace claimsd::sim
