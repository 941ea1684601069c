// skip.h: skips tests that need root. As root nothing is skipped: what a supported host cannot do
// is a failure. The counterpart for pytest is tests/skips.py.
#pragma once

#include <unistd.h>

#include "tests/support/catch.h"

namespace claimsd::test {

// `if (!has_root()) return;` at the start of a test.
inline bool has_root() {
  if (geteuid() == 0) return true;
  WARN("skipped: needs root");
  return false;
}

}  // namespace claimsd::test
