// problems.h: collects the problems of a configuration file, so that one run reports all of them.
// Pure; one thread.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "daemon/base/result.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::config {

class Problems {
 public:
  void add(Position at, std::string text) { all_.push_back({at, std::move(text)}); }
  bool empty() const { return all_.empty(); }

  // One problem per line, in the order of the file, those without a place last. At most kMaxShown,
  // then the number of remaining ones. `filenames`: by the number in a Position.
  std::string text(std::span<const std::string> filenames) const {
    auto sorted = all_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Problem& a, const Problem& b) { return order(a) < order(b); });
    std::string out;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i == kMaxShown)
        return out + fmt::format("\n{}: and {} more", filenames[0], sorted.size() - i);
      if (i > 0) out += '\n';
      const auto& [at, text] = sorted[i];
      out += at.line == 0
                 ? fmt::format("{}: {}", filenames[0], text)
                 : fmt::format("{}:{}:{}: {}", filenames[at.file], at.line, at.column, text);
    }
    return out;
  }

 private:
  static constexpr std::size_t kMaxShown = 50;
  struct Problem {
    Position at;
    std::string text;
  };
  static std::tuple<bool, Position> order(const Problem& problem) {
    return {problem.at.line == 0, problem.at};
  }
  std::vector<Problem> all_;
};

}  // namespace claimsd::config
