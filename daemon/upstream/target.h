// target.h: settings that have been checked: where a token may go, and over what. Pure; any thread.
#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/upstream/settings.h"

namespace claimsd::daemon {

struct Target {
  UpstreamSettings settings;
  std::string url;     // with the path
  bool clear = false;  // http, on this host
};

// The configuration has looked at all of this already. It is looked at again with curl's own URL
// parser, because curl's reading is the one that decides who gets the token.
Result<Target> check_target(UpstreamSettings settings);

}  // namespace claimsd::daemon
