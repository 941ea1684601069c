#include "client/claimsctl/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "daemon/base/json_writer.h"
#include "daemon/base/printable.h"

namespace claimsd::claimsctl {
namespace {

bool wants_colours() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  if (terminal == nullptr || std::string_view(terminal) == "dumb") return false;
  return ::isatty(STDOUT_FILENO) == 1;
}

std::string_view escape_code(Colour colour) {
  switch (colour) {
    case Colour::kGood: return "\x1b[32m";
    case Colour::kBad: return "\x1b[31m";
    case Colour::kUnsure: return "\x1b[33m";
    case Colour::kFaint: return "\x1b[2m";
    case Colour::kStrong: return "\x1b[1m";
  }
  return "";
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto [size, code] = first_character(text);
    const auto sequence = text.substr(0, size == 0 ? 1 : size);
    if (size != 0 && is_visible(code)) {
      out += sequence;
    } else {
      out += '?';
    }
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::string duration_text(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.0f} µs", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto minutes = static_cast<std::uint64_t>(seconds / 60);
  if (minutes < 60) {
    return fmt::format("{} min {} s", minutes, static_cast<std::uint64_t>(seconds) % 60);
  }
  if (minutes < 60 * 48) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  const std::uint64_t days = minutes / (60 * 24);
  return days < 10 ? fmt::format("{} days {} h", days, minutes / 60 % 24)
                   : fmt::format("{} days", days);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr double kUnit = 1024;
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  auto size = static_cast<double>(bytes) / kUnit;
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; size >= kUnit && unit + 1 < std::size(units); ++unit) size /= kUnit;
  return fmt::format("{:.{}f} {}", size, size < 10 ? 1 : 0, units[unit]);
}

std::string count_text(std::uint64_t count) {
  auto digits = fmt::format("{}", count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

Output::Output(bool json) : json_(json), colours_(!json && wants_colours()) {}

void Output::flush() {
  std::fflush(stdout);
}

void Output::line(std::string_view text) {
  fmt::print("{}\n", text);
}

void Output::field(std::string_view label, std::string_view text) {
  line(fmt::format("  {:<12} {}", label, text));
}

std::string Output::coloured(Colour colour, std::string_view text) const {
  if (!colours_) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_code(colour), text);
}

Exit Output::problem(const Problem& problem) {
  if (json_) {
    JsonWriter json;
    json.begin_object().member("schema", kOutputSchema).key("error").begin_object();
    json.member("code", problem.code)
        .member("message", problem.message)
        .member("hint", problem.hint)
        .end_object()
        .end_object();
    line(json.text());
  } else {
    // One line per reason.
    std::string_view rest = problem.message;
    for (const char* before = "claimsctl: "; !rest.empty(); before = "  ") {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      fmt::print(stderr, "{}{}\n", before, printable(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!problem.hint.empty()) fmt::print(stderr, "  {}\n", printable(problem.hint));
  }
  return problem.exit;
}

}  // namespace claimsd::claimsctl
