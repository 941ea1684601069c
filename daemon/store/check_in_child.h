// check_in_child.h: checks a file in a child process, so that a file that crashes its reader cannot
// crash the daemon at each start.
//
// Forks: call only at startup, while no other thread works and no system call filter is installed.
// Blocks until the check is done.
#pragma once

#include <functional>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/base/result.h"

namespace claimsd::store {

// Runs `check` in a child process and returns its result. A crash is a failure; so is a check that
// takes longer than `limit`, which is then killed.
Status check_in_child(const std::function<Status()>& check, Duration limit);

// Checks the structure of the LMDB data file at `path` (lmdb_pages.h). A missing file is valid:
// LMDB creates it.
Status check_lmdb_file(const std::string& path);

}  // namespace claimsd::store
