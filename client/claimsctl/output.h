// output.h: everything claimsctl prints. People get colours where a terminal shows them, programs
// get JSON with --json.
//
// Results go to standard output, problems to standard error; with --json both are one object a line
// on standard output, each with "schema": 1. Text that came from elsewhere (claims, the daemon)
// passes printable(), so it cannot steer the terminal. One per process, made by main; one thread.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "client/claimsctl/problem.h"

namespace claimsd::ctl {

inline constexpr int kOutputSchema = 1;

enum class Colour : std::uint8_t { kGood, kBad, kUnsure, kFaint, kStrong };

// Control characters and what is not UTF-8 become "?".
std::string printable(std::string_view text);

// "850 ms", "12.3 s", "3 h 12 min", "4 d 2 h".
std::string duration_text(double seconds);

// "1,234,567".
std::string count_text(std::uint64_t count);

// "12.3 MiB".
std::string bytes_text(std::uint64_t bytes);

class Output {
 public:
  // Colours: standard output is a terminal, NO_COLOR (no-color.org) is unset or empty, and TERM is
  // not "dumb".
  explicit Output(bool json);

  bool json() const { return json_; }

  // What was printed goes out now: to whoever reads it through a pipe.
  void flush();
  // One line, as it is.
  void line(std::string_view text);
  // "  label      text", the columns of all commands alike.
  void field(std::string_view label, std::string_view text);
  std::string coloured(Colour colour, std::string_view text) const;

  // Prints the problem and gives back its exit status.
  Exit problem(const Problem& problem);

 private:
  bool json_;
  bool colours_;
};

}  // namespace claimsd::ctl
