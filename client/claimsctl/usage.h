// usage.h: wrong usage in one clear line that repeats nothing which might be a token. Pure.
//
// People paste a token where it does not belong; what the terminal, a CI log or a pager then keeps
// must not be it. CLI11's own messages quote what was typed, so none of them is passed on as it is.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/problem.h"

namespace claimsd::ctl {

// RFC 6750 b64token characters and as long as tokens are: a guess, and a generous one.
bool looks_like_token(std::string_view word);

// `words` are the arguments without the program's name.
Problem usage_problem(const CLI::ParseError& error, const CLI::App& app,
                      const std::vector<std::string>& words);

}  // namespace claimsd::ctl
