// cross_check.h: checks options that require, exclude or bound each other. Pure; one thread.
#pragma once

#include "daemon/config/config.h"
#include "daemon/config/load.h"
#include "daemon/config/problems.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::config {

// Adds to `problems`. Also fills in values derived from several options: the default upstream, and
// 401 among rejection_statuses. `root` is the parsed file, for the places in messages.
void cross_check(Config& config, const Node& root, Urls urls, Problems& problems);

}  // namespace claimsd::config
