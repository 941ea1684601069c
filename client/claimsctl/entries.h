// entries.h: pages through the cache entries of the admin API, for the commands that show them.
#pragma once

#include <functional>
#include <string>

#include "client/claimsctl/command.h"
#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {

// Calls `visit(entry)` for each entry until it returns false, fetching page by page. `user` limits
// it to one user id; "" means all.
Expected<void> each_entry(const Globals& globals, const std::string& user,
                          const std::function<bool(const Element&)>& visit);

// "fresh" in green, "revoked" in red.
std::string state_text(const Element& entry, const Output& output);
// "2.5 s", or "-" if the value is absent.
std::string length_text(const Element& entry, std::string_view pointer);

}  // namespace claimsd::claimsctl
