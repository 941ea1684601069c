// coverage.h: counts injected faults and reached states. A run over enough seeds fails if any of
// them was never reached, so that the simulator cannot lose coverage unnoticed.
//
// One per thread, added up at the end.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/claims/counters.h"
#include "proto/vocabulary.h"
#include "tests/sim/auth_api.h"
#include "tests/sim/records.h"

namespace claimsd::sim {

struct CoverageRow {
  std::string_view group;  // "fault", "outage", "answer", "counter", "store"
  std::string_view name;
  std::string_view more;  // the source, for answers
  std::uint64_t count = 0;
};

class Coverage {
 public:
  static constexpr std::size_t kMaxActions = 64;

  void add(const Coverage& other);
  std::vector<CoverageRow> rows() const;

  // Counts what happened in a step.
  void step(const Step& step);
  void service_gone(const claims::Counters& counters);

  std::uint64_t histories = 0;
  std::uint64_t steps = 0;
  std::array<std::uint64_t, kMaxActions> actions{};  // indexed like actions()
  std::array<std::uint64_t, static_cast<std::size_t>(Outage::kCount)> outages{};

 private:
  static constexpr std::size_t kReasons = 400;  // more than the largest reason code
  static constexpr std::size_t kSources = 6;
  std::array<std::array<std::uint32_t, kSources>, kReasons> answers_{};
  std::array<std::uint64_t, 3> puts_{};  // indexed by Stored
  claims::Counters counters_;
};

}  // namespace claimsd::sim
