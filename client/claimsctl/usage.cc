#include "client/claimsctl/usage.h"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/base/ascii.h"

namespace claimsd::claimsctl {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kMostSuggestions = 3;
constexpr std::size_t kShortestPrefix = 2;
constexpr std::size_t kLongWord = 6;  // from here on two mistakes are still the same word
constexpr char kSeeHelp[] = "run claimsctl help";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || c == '-';
}

bool is_name(std::string_view word) {
  return std::all_of(word.begin(), word.end(), is_name_character);
}

// Short and made only of characters of command and option names: safe to repeat as "did you mean".
bool is_repeatable(std::string_view word) {
  return word.size() < kShortestToken && is_name(word);
}

std::string quoted_or(std::string_view word, std::string_view otherwise) {
  return is_repeatable(word) ? fmt::format("\"{}\"", word) : std::string(otherwise);
}

Problem wrong(std::string message, std::string hint = kSeeHelp) {
  return {Exit::kUsage, "usage", std::move(message), std::move(hint)};
}

Problem token_argument() {
  return wrong(
      "a token must not be an argument: other users can read arguments, and the shell saves "
      "them",
      "pass it on standard input (claimsctl query < FILE) or with --token-file FILE; if that "
      "was a real token, log out to invalidate it");
}

// The number of letters to insert, remove, replace or swap with the next one: the optimal string
// alignment distance.
std::size_t mistakes_between(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> cost(from.size() + 1,
                                             std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) {
    for (std::size_t j = 0; j <= to.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = cost[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      cost[i][j] = std::min({replaced, cost[i - 1][j] + 1, cost[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[from.size()][to.size()];
}

// "did you mean status or statistics? run claimsctl help", without the question if no known name is
// near.
std::string hint_for(const UsageError& error, std::string_view word) {
  std::string help =
      error.command.empty() ? kSeeHelp : fmt::format("run claimsctl help {}", error.command);
  if (!is_repeatable(word)) return help;
  const auto names = nearest(word, error.known);
  if (names.empty()) return help;
  std::string text = "did you mean " + names.front();
  for (std::size_t at = 1; at < names.size(); ++at) {
    text += (at + 1 == names.size() ? " or " : ", ") + names[at];
  }
  return text + "? " + help;
}

Problem unexpected(const UsageError& error, std::string_view command) {
  const std::string_view word = error.extra;
  if (word.substr(0, 7) == "--token" && word.substr(0, 12) != "--token-file") {
    return token_argument();
  }
  if (word.substr(0, 1) == "-") {
    const auto name = word.substr(0, word.find('='));
    return wrong(fmt::format("{} has no option {}", command, quoted_or(name, "like the one given")),
                 hint_for(error, name));
  }
  if (looks_like_token(word)) return token_argument();
  // An argument where names of subcommands may stand is meant as one.
  return wrong(fmt::format("{} {} {}", command,
                           error.known.empty() ? "does not take the argument" : "has no command",
                           quoted_or(word, error.known.empty() ? "given" : "like the one given")),
               hint_for(error, word));
}

Problem no_command(const UsageError& error) {
  if (error.extra.empty()) return wrong("a command is needed");
  if (looks_like_token(error.extra)) return token_argument();
  return wrong(fmt::format("there is no command {}", quoted_or(error.extra, "like the one given")),
               hint_for(error, error.extra));
}

// CLI11 puts the value behind the option name: "Could not convert: --x = VALUE", "--x: reason". Our
// validators never quote the value, so only the values have to be removed.
std::string without_values(std::string message, const std::vector<std::string>& words) {
  message = message.substr(0, message.find(" = "));
  for (const auto& word : words) {
    for (const auto& part : {word, word.substr(word.find('=') + 1)}) {
      if (part.size() < kShortestToken || (part.front() == '-' && is_name(part))) continue;
      for (auto at = message.find(part); at != std::string::npos; at = message.find(part)) {
        message.replace(at, part.size(), "…");
      }
    }
  }
  return message;
}

}  // namespace

bool looks_like_token(std::string_view word) {
  return word.size() >= kShortestToken && std::all_of(word.begin(), word.end(), is_visible);
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::vector<std::pair<std::size_t, std::string>> found;
  const std::size_t most = word.size() < kLongWord ? 1 : 2;
  for (const std::string& name : known) {
    const std::size_t mistakes = mistakes_between(word, name);
    const bool begins = word.size() >= kShortestPrefix && name.starts_with(word);
    if (mistakes <= most || begins) found.emplace_back(mistakes, name);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& one, const auto& other) { return one.first < other.first; });
  std::vector<std::string> names;
  for (const auto& [mistakes, name] : found) {
    if (names.size() < kMostSuggestions) names.push_back(name);
  }
  return names;
}

Problem usage_problem(const UsageError& error, const std::vector<std::string>& words) {
  const bool no_option = error.extra.substr(0, 1) != "-";
  if (error.incomplete && error.command.empty() && no_option) return no_command(error);
  const std::string command = error.command.empty() ? "claimsctl" : error.command;
  if (error.incomplete && !error.extra.empty()) return unexpected(error, command);
  const auto message = without_values(error.message, words);
  return wrong(error.command.empty() ? message : fmt::format("{}: {}", command, message),
               hint_for(error, {}));
}

}  // namespace claimsd::claimsctl
