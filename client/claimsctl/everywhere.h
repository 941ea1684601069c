// everywhere.h: the options --everywhere and --timeout of an order that waits for all hosts of the
// fleet, and what the daemon says about them. Single-threaded; lives as long as its command.
#pragma once

#include <string>
#include <vector>

#include "client/claimsctl/option.h"
#include "client/claimsctl/output.h"
#include "client/claimsctl/reply.h"

namespace claimsd::claimsctl {

class Everywhere {
 public:
  void add_to(std::vector<Option>& options);
  // The route with the parameter that makes the daemon wait.
  std::string route(std::string_view path) const;
  // Prints on how many hosts the order is in effect, if that was asked, and who is missing.
  void show(const Element& reply, Output& output) const;

 private:
  bool wanted_ = false;
  std::string timeout_ = "10s";
};

}  // namespace claimsd::claimsctl
