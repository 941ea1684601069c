// coverage.h: how often each thing was injected and each state reached. A run over enough seeds
// fails when one never was: a simulator that no longer gets somewhere must not stay green.
//
// One a thread, added up at the end.
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
  std::string_view more;  // of an answer: its source
  std::uint64_t count = 0;
};

class Coverage {
 public:
  static constexpr std::size_t kMaxActions = 64;

  void add(const Coverage& other);
  std::vector<CoverageRow> rows() const;

  // Takes what a step has shown.
  void step(const Step& step);
  void service_gone(const daemon::Counters& counters);

  std::uint64_t histories = 0;
  std::uint64_t steps = 0;
  std::array<std::uint64_t, kMaxActions> actions{};  // by place in actions()
  std::array<std::uint64_t, static_cast<std::size_t>(Outage::kCount)> outages{};

 private:
  static constexpr std::size_t kReasons = 400;  // codes of the vocabulary
  static constexpr std::size_t kSources = 6;
  std::array<std::array<std::uint32_t, kSources>, kReasons> answers_{};
  std::array<std::uint64_t, 3> puts_{};  // by Stored
  daemon::Counters counters_;
};

}  // namespace claimsd::sim
