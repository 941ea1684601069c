// top_view.h: renders the model of claimsctl top as screen lines and as JSON. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/output.h"
#include "client/claimsctl/top_model.h"

namespace claimsd::claimsctl {

struct TopLayout {
  std::size_t columns = 80;
  std::size_t rows = 0;  // 0: no limit
  double interval_seconds = 1;
  std::size_t peers = 8;  // how many of the busiest are shown
};

// Returns at most `rows` lines of at most `columns` columns.
std::vector<std::string> top_lines(const TopModel& model, const TopLayout& layout,
                                   const Output& output);

std::string top_json(const TopModel& model, const TopLayout& layout);

}  // namespace claimsd::claimsctl
