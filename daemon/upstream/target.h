// target.h: checked settings: where a token may be sent, and over which protocol. Pure; any thread.
#pragma once

#include <string>

#include "daemon/base/result.h"
#include "daemon/upstream/settings.h"

namespace claimsd::upstream {

struct Target {
  UpstreamSettings settings;
  std::string url;     // with the path
  bool clear = false;  // plain http, on this host
  bool ipv4 = false;   // "localhost": if nothing listens on 127.0.0.1, ::1 may be another user's
  std::string socket;  // path of a Unix socket; "": none
};

// The configuration has checked all of this already. It is checked again with curl's URL parser,
// because curl's reading decides which server receives the token.
Result<Target> check_target(UpstreamSettings settings);

}  // namespace claimsd::upstream
