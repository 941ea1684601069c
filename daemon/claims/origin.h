// origin.h: where a query came from, as its client says. For the log alone.
#pragma once

#include <string_view>

namespace claimsd::daemon {

// Where a question came from, as its asker says. Good for the log alone.
struct Origin {
  std::string_view client_address;
  std::string_view trace_id;
  std::string_view route;
};

}  // namespace claimsd::daemon
