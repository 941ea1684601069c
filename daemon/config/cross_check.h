// cross_check.h: what no row can say alone: options that need, exclude or bound each other. Pure;
// one thread.
#pragma once

#include "daemon/config/config.h"
#include "daemon/config/problems.h"
#include "daemon/config/toml_reader.h"

namespace claimsd::daemon {

// Adds to `problems`, and fills in what follows from several options together: the default
// upstream, and the refusals' 401. `root` is the file the config came from, for the places.
void cross_check(Config& config, const Node& root, Problems& problems);

}  // namespace claimsd::daemon
