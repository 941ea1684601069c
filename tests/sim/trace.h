// trace.h: a log of events. The last lines are kept for the report of a violation; all lines are
// printed on request.
//
// Lines are stored as data and rendered only when read, because there are a million per second.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::sim {

struct TraceLine {
  std::uint64_t step = 0;
  Now now;
  std::string_view what;   // static storage, as is:
  std::string_view which;  // "" if none
  std::int64_t token = -1;
  std::int64_t number = 0;
};

class Trace {
 public:
  explicit Trace(bool print) : print_(print) {}
  void note(const TraceLine& line);
  // The last lines, oldest first.
  std::string last() const;

 private:
  static constexpr std::size_t kKept = 30;
  std::array<TraceLine, kKept> lines_;
  std::uint64_t count_ = 0;
  bool print_;
};

}  // namespace claimsd::sim
