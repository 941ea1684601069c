#include "daemon/config/quantity.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <span>

#include "daemon/base/parse_integer.h"

namespace claimsd::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array kDurationUnits =
    std::to_array<Unit>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}});
constexpr std::array kSizeUnits =
    std::to_array<Unit>({{"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"", 1}});
constexpr std::size_t kMaxDigits = 9;  // times the largest factor fits in 63 bits

std::optional<std::int64_t> parse(std::string_view text, std::span<const Unit> units) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > kMaxDigits) return std::nullopt;
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + digits, number);
  for (const auto& unit : units) {
    if (text.substr(digits) == unit.name) return number * unit.factor;
  }
  return std::nullopt;
}

std::string format(std::int64_t number, std::span<const Unit> units) {
  for (const auto& unit : units) {
    if (number != 0 && number % unit.factor == 0) {
      return fmt::format("{}{}", number / unit.factor, unit.name);
    }
  }
  return "0";
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  return parse(text, kDurationUnits);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  return parse(text, kSizeUnits);
}

std::optional<std::int64_t> parse_mode(std::string_view text) {
  if (text.size() != 4 || text[0] != '0') return std::nullopt;
  return parse_integer<std::int64_t>(text, 8);
}

std::string format_duration(std::int64_t in_milliseconds) {
  return in_milliseconds == 0 ? "0s" : format(in_milliseconds, kDurationUnits);
}

std::string format_size(std::int64_t bytes) {
  return format(bytes, kSizeUnits);
}

}  // namespace claimsd::config
