// output.h: everything that claimsctl prints: colored text for people, JSON for programs (--json).
//
// Results go to standard output, problems to standard error. With --json both go to standard
// output, one object per line, each with "schema": 1. Text from outside (claims, the daemon) passes
// through printable(), so it cannot control the terminal. One per process, owned by main;
// single-threaded.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "client/claimsctl/problem.h"

namespace claimsd::claimsctl {

inline constexpr int kOutputSchema = 1;

enum class Colour : std::uint8_t { kGood, kBad, kUnsure, kFaint, kStrong };

// Replaces characters that are not visible (daemon/base/printable.h) and invalid UTF-8 by "?".
std::string printable(std::string_view text);

// "850 ms", "12.3 s", "3 h 12 min", "4 days 2 h", "59 days".
std::string duration_text(double seconds);

// "1,234,567".
std::string count_text(std::uint64_t count);

// "16 KiB", "3.0 MiB", "71 GiB".
std::string bytes_text(std::uint64_t bytes);

class Output {
 public:
  // Colors are used if standard output is a terminal, NO_COLOR (no-color.org) is unset or empty,
  // and TERM is not "dumb".
  explicit Output(bool json);

  bool json() const { return json_; }

  // Flushes standard output, so that a reader at the other end of a pipe sees each line at once.
  void flush();
  // Prints one line unchanged.
  void line(std::string_view text);
  // Prints "  label      text", with the same column in all commands.
  void field(std::string_view label, std::string_view text);
  std::string coloured(Colour colour, std::string_view text) const;

  // Prints the problem and returns its exit status.
  Exit problem(const Problem& problem);

 private:
  bool json_;
  bool colours_;
};

}  // namespace claimsd::claimsctl
