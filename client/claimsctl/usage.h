// usage.h: turns a parse error into one clear line that never repeats a possible token. Pure.
//
// People paste tokens in the wrong place, and the terminal, a CI log or a pager would keep them.
// CLI11's messages quote the input, so none is passed on unchanged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/claimsctl/problem.h"

namespace claimsd::claimsctl {

// A deliberately generous guess: visible ASCII and at least as long as a token.
bool looks_like_token(std::string_view word);

// The names that are one typing mistake away from `word`, or two for a long one, or begin with it;
// the nearest first. At most three.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

// What the parser could not parse.
struct UsageError {
  std::string command;             // the given command, with its subcommand; "" if none
  std::string extra;               // the first unexpected argument; "" if none
  std::vector<std::string> known;  // the names of commands or options that may stand there
  bool incomplete = false;  // all options were parsed, but an argument is missing or unexpected
  std::string message;      // from the parser; may quote the input
};

// `words`: the arguments without the program name.
Problem usage_problem(const UsageError& error, const std::vector<std::string>& words);

}  // namespace claimsd::claimsctl
