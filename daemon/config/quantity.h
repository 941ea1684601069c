// quantity.h: parses and formats durations, sizes and permission bits as written in the file. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claimsd::config {

// "500ms", "5s", "2m", "1h" in milliseconds. Whole numbers of at most nine digits with a unit;
// nothing else.
std::optional<std::int64_t> parse_duration(std::string_view text);

// "1024", "64KiB", "64MiB", "2GiB" in bytes, also at most nine digits.
std::optional<std::int64_t> parse_size(std::string_view text);

// "0660": four octal digits, the first a zero.
std::optional<std::int64_t> parse_mode(std::string_view text);

// The reverse, in the largest unit that is exact.
std::string format_duration(std::int64_t in_milliseconds);
std::string format_size(std::int64_t bytes);

}  // namespace claimsd::config
