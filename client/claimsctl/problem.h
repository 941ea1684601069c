// problem.h: why a command could not do what it was asked, and what the person at the keyboard can
// do about it.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "client/claimsctl/exit_codes.h"

namespace claimsd::ctl {

struct Problem {
  Exit exit = Exit::kUnavailable;
  std::string code;     // for programs: "no_daemon"
  std::string message;  // what was tried, on what, and what happened, one reason a line; no secret
  std::string hint;     // what to do about it; may be empty
};

template <class T>
using Expected = tl::expected<T, Problem>;

}  // namespace claimsd::ctl
