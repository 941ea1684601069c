// not_final.h: what claimsctl says of an action that is in effect, but not on disk or not recorded.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {

// One sentence for each fact that is missing; none if the action is on disk and recorded.
inline std::vector<std::string> not_final(const Element& reply) {
  std::vector<std::string> facts;
  if (!truth_at(reply, "/durable"))
    facts.emplace_back(
        "in effect, not yet on disk: claimsd writes it as soon as the disk allows; claimsctl "
        "status shows when. Do not restart claimsd before that");
  if (!truth_at(reply, "/recorded"))
    facts.emplace_back(
        "not yet in the audit log: it is recorded as soon as the log can be written; claimsctl "
        "status shows why it cannot");
  return facts;
}

inline void show_not_final(const Element& reply, Output& output) {
  for (const std::string& fact : not_final(reply)) output.field("warning", fact);
}

}  // namespace claimsd::claimsctl
