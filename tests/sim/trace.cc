#include "tests/sim/trace.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::sim {
namespace {

double in_seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e9;
}

std::string render(const TraceLine& line) {
  std::string text = fmt::format("{:>6}  boot {:>14.6f}  wall {:>17.6f}  {:<16}", line.step,
                                 in_seconds(line.now.boot.time_since_epoch()),
                                 in_seconds(line.now.wall.time_since_epoch()), line.what);
  if (line.token >= 0) text += fmt::format(" token {}", line.token);
  if (!line.which.empty()) text += fmt::format(" {}", line.which);
  return text + fmt::format(" {}", line.number);
}

}  // namespace

void Trace::note(const TraceLine& line) {
  lines_[count_++ % kKept] = line;
  if (print_) fmt::print("{}\n", render(line));
}

std::string Trace::last() const {
  std::string text;
  for (std::uint64_t at = count_ - std::min<std::uint64_t>(count_, kKept); at < count_; ++at) {
    text += render(lines_[at % kKept]) + "\n";
  }
  return text;
}

}  // namespace claimsd::sim
