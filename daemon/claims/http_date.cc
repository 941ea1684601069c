#include "daemon/claims/http_date.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace claimsd::daemon {
namespace {

// Parses a date from left to right. Any mismatch makes the whole date invalid.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
  }
  // Reads exactly `digits` digits; with `padded`, spaces may replace leading zeros.
  int number(std::size_t digits, bool padded = false) {
    std::string_view text = rest_.substr(0, digits);
    while (padded && text.size() > 1 && text.front() == ' ') text.remove_prefix(1);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool all = error == std::errc() && end == text.data() + text.size();
    if (rest_.size() < digits || !all || text.front() == '-') {
      fail();
      return 0;
    }
    rest_.remove_prefix(digits);
    return value;
  }
  unsigned month() {
    constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const std::size_t at = rest_.size() < 3 ? 1 : kMonths.find(rest_.substr(0, 3));
    if (at == std::string_view::npos || at % 3 != 0) {
      fail();
      return 1;
    }
    rest_.remove_prefix(3);
    return static_cast<unsigned>(at / 3 + 1);
  }
  bool ended() const { return !failed_ && rest_.empty(); }

 private:
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

struct Parts {
  int year = 0;
  unsigned month = 1;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

void read_time(Reader& in, Parts& to) {
  to.hour = in.number(2);
  in.literal(":");
  to.minute = in.number(2);
  in.literal(":");
  to.second = in.number(2);
}

Parts read_fixdate(Reader& in) {
  Parts parts;
  in.literal(", ");
  parts.day = in.number(2);
  in.literal(" ");
  parts.month = in.month();
  in.literal(" ");
  parts.year = in.number(4);
  in.literal(" ");
  read_time(in, parts);
  in.literal(" GMT");
  return parts;
}

std::optional<WallTime> time_of(const Parts& parts) {
  const std::chrono::year_month_day date{std::chrono::year(parts.year),
                                         std::chrono::month(parts.month),
                                         std::chrono::day(static_cast<unsigned>(parts.day))};
  // Years that fit into 64-bit nanoseconds.
  if (!date.ok() || parts.year < 1970 || parts.year > 2261 || parts.hour > 23 ||
      parts.minute > 59 || parts.second > 60)
    return std::nullopt;
  return WallTime(std::chrono::sys_days(date).time_since_epoch()) + std::chrono::hours(parts.hour) +
         std::chrono::minutes(parts.minute) + seconds(parts.second);
}

// A two-digit year that appears to be more than 50 years in the future is the most recent past year
// with these digits (RFC 9110 section 5.6.7).
std::optional<WallTime> within_a_century(Parts parts, WallTime now) {
  const std::chrono::sys_time<Duration> moment(now.time_since_epoch());
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(moment)};
  const int this_year = static_cast<int>(today.year());
  parts.year += this_year / 100 * 100;
  if (parts.year > this_year + 50) parts.year -= 100;
  return time_of(parts);
}

Parts read_rfc850(Reader& in) {
  Parts parts;
  in.literal(", ");
  parts.day = in.number(2);
  in.literal("-");
  parts.month = in.month();
  in.literal("-");
  parts.year = in.number(2);
  in.literal(" ");
  read_time(in, parts);
  in.literal(" GMT");
  return parts;
}

Parts read_asctime(Reader& in) {
  Parts parts;
  in.literal(" ");
  parts.month = in.month();
  in.literal(" ");
  parts.day = in.number(2, true);
  in.literal(" ");
  read_time(in, parts);
  in.literal(" ");
  parts.year = in.number(4);
  return parts;
}

}  // namespace

std::optional<WallTime> read_http_date(std::string_view text, WallTime now) {
  const std::size_t day_name = std::min(text.find_first_of(", "), text.size());
  const bool has_comma = text.substr(day_name, 1) == ",";
  Reader in(text.substr(day_name));
  std::optional<WallTime> time;
  if (!has_comma) {
    time = time_of(read_asctime(in));
  } else if (day_name > 3) {  // a full day name, as in "Sunday"
    time = within_a_century(read_rfc850(in), now);
  } else {
    time = time_of(read_fixdate(in));
  }
  return in.ended() ? time : std::nullopt;
}

}  // namespace claimsd::daemon
