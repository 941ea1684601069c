// action_report.h: tells the operator what a purge or revocation did: what it matched, and what
// makes it void. Reads the cache of the daemon after the action is in effect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {

// What was ordered.
struct Ordered {
  bool revoke = false;
  bool all = false;
  std::string user;  // "": all users, or one token
  bool lock = false;
};

struct ActionReport {
  std::optional<std::uint64_t> matched;  // cached tokens it is about; none: not counted
  std::vector<std::string> warnings;
};

// `reply` is the daemon's answer to the order.
ActionReport report_on(const Globals& globals, const Ordered& ordered, const Element& reply);

}  // namespace claimsd::claimsctl
