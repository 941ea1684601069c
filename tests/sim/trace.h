// trace.h: what happened, one line a thing: the last of it is kept for the report of a violation,
// and all of it is printed when that was asked for.
//
// A line is kept as data and rendered only when it is read: there are a million of them a second.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/base/clock.h"

namespace claimsd::sim {

struct TraceLine {
  std::uint64_t step = 0;
  daemon::Now now;
  std::string_view what;   // of static storage, as is:
  std::string_view which;  // "" for none
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
