// quantity.h: durations, sizes and permission bits as people write them in the file. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace claimsd::daemon {

// "500ms", "5s", "2m", "1h" in milliseconds. Whole numbers of at most nine digits; nothing else is
// accepted.
std::optional<std::int64_t> parse_duration(std::string_view text);

// "1024", "64KiB", "64MiB", "2GiB" in bytes; the same rule.
std::optional<std::int64_t> parse_size(std::string_view text);

// "0660": an octal number of four digits, the first a zero.
std::optional<std::int64_t> parse_mode(std::string_view text);

// Back again, in the largest unit that is exact.
std::string format_duration(std::int64_t milliseconds);
std::string format_size(std::int64_t bytes);

}  // namespace claimsd::daemon
