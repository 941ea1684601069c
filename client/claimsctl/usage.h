// usage.h: wrong usage in one clear line that repeats nothing which might be a token. Pure.
//
// People paste a token where it does not belong; what the terminal, a CI log or a pager then keeps
// must not be it. CLI11's own messages quote what was typed, so none of them is passed on as it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/problem.h"

namespace claimsd::ctl {

// RFC 6750 b64token characters and as long as tokens are: a guess, and a generous one.
bool looks_like_token(std::string_view word);

// What the parser stumbled over.
struct UsageError {
  std::string command;      // the command that was given; "": none
  std::string extra;        // the first argument that nothing took; "": none
  bool incomplete = false;  // all options were understood, and something is missing or left over
  std::string message;      // the parser's own words
};

// `words` are the arguments without the program's name.
Problem usage_problem(const UsageError& error, const std::vector<std::string>& words);

}  // namespace claimsd::ctl
