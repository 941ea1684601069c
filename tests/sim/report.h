// report.h: what a run found, for people or, one JSON object a line, for machines.
#pragma once

#include <string>

#include "tests/sim/runner.h"

namespace claimsd::sim {

// Rows that stayed at nought; none where so few histories ran that this says nothing.
std::vector<CoverageRow> never_reached(const RunResult& result);

std::string as_table(const RunOptions& options, const RunResult& result);
std::string as_json(const RunOptions& options, const RunResult& result);

}  // namespace claimsd::sim
