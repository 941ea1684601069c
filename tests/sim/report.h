// report.h: the results of a run, as a table or as JSON, one object per line.
#pragma once

#include <string>

#include "tests/sim/runner.h"

namespace claimsd::sim {

// What has a count of zero, as "group name". Empty if too few histories ran.
std::vector<std::string> never_reached(const RunResult& result);

std::string as_table(const RunOptions& options, const RunResult& result);
std::string as_json(const RunOptions& options, const RunResult& result);

}  // namespace claimsd::sim
