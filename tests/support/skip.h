// skip.h: for tests that need root. Root itself skips nothing: what a supported host cannot do is a
// failure there. tests/skips.py is the same for pytest.
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
