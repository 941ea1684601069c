// merge.h: puts drop-in files over the configuration file. Pure; any thread.
#pragma once

#include "daemon/config/toml_reader.h"

namespace claimsd::config {

// Adds the tables and options of `over` to `base`. An option that both have gets the value of `over`:
// a whole list or table, not a mixture.
void merge_config(Node& base, Node&& over);

}  // namespace claimsd::config
