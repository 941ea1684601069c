// problem.h: why a command failed and what the user can do about it.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "client/claimsctl/exit_codes.h"

namespace claimsd::claimsctl {

struct Problem {
  Exit exit = Exit::kUnavailable;
  std::string code;     // for programs: "no_daemon"
  std::string message;  // what failed, on what, and why; one reason per line; no secrets
  std::string hint;     // the suggested fix; may be empty
};

template <class T>
using Expected = tl::expected<T, Problem>;

}  // namespace claimsd::claimsctl
