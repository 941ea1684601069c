#include "client/claimsctl/usage.h"

#include <fmt/core.h>

#include <algorithm>

namespace claimsd::ctl {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr char kSeeHelp[] = "run claimsctl --help";

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

Problem unexpected(std::string_view command, std::string_view word) {
  if (word.substr(0, 7) == "--token" && word.substr(0, 12) != "--token-file") {
    return token_argument();
  }
  if (word.substr(0, 1) == "-") {
    const auto name = word.substr(0, word.find('='));
    return wrong(
        fmt::format("{} has no option {}", command, quoted_or(name, "like the one given")));
  }
  if (looks_like_token(word)) return token_argument();
  return wrong(fmt::format("{} does not take the argument {}", command, quoted_or(word, "given")));
}

Problem no_command(std::string_view word) {
  if (word.empty()) return wrong("a command is needed");
  if (looks_like_token(word)) return token_argument();
  return wrong(fmt::format("there is no command {}", quoted_or(word, "like the one given")));
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
  const auto b64token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").find(c) != std::string_view::npos;
  };
  return word.size() >= kShortestToken && std::all_of(word.begin(), word.end(), b64token);
}

Problem usage_problem(const UsageError& error, const std::vector<std::string>& words) {
  const bool no_option = error.extra.substr(0, 1) != "-";
  if (error.incomplete && error.command.empty() && no_option) return no_command(error.extra);
  const std::string command = error.command.empty() ? "claimsctl" : error.command;
  if (error.incomplete && !error.extra.empty()) return unexpected(command, error.extra);
  const auto message = without_values(error.message, words);
  return wrong(error.command.empty() ? message : fmt::format("{}: {}", command, message));
}

}  // namespace claimsd::ctl
