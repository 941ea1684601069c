// check_run.h: runs the installed claimsd with --check, so that there is one implementation of the
// check and it matches the daemon. Blocks until it ends; single-threaded.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/problem.h"

namespace claimsd::claimsctl {

struct CheckRun {
  int code = 0;      // exit status: 0 valid, 78 not
  std::string said;  // stdout and stderr together
};

// PREFIX/sbin/claimsd for PREFIX/bin/claimsctl.
std::string installed_daemon();

// `words`: the program and its arguments.
Expected<CheckRun> run_check(std::vector<std::string> words);

}  // namespace claimsd::claimsctl
