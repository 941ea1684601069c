// origin.h: where a query came from, as its client says. For the log alone.
#pragma once

#include <string_view>

namespace claimsd::claims {

// Where a query came from, as claimed by the client. For logging only; never trusted.
struct Origin {
  std::string_view client_address;
  std::string_view trace_id;
  std::string_view route;
};

}  // namespace claimsd::claims
