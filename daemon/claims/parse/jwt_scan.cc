#include "daemon/claims/parse/jwt_scan.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace claimsd::claims {
namespace {

constexpr std::string_view kJsonBlanks = " \t\r\n";

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool run(const std::function<void(std::string_view, std::string_view)>& visit) {
    if (!take('{')) return false;
    if (take('}')) return at_end();
    do {
      skip_blanks();
      const std::string_view name = string();
      if (name.size() < 2 || !take(':')) return false;
      skip_blanks();
      const std::string_view value = next_value();
      if (value.empty()) return false;
      visit(name.substr(1, name.size() - 2), value);
    } while (take(','));
    return take('}') && at_end();
  }

 private:
  void skip_blanks() { at_ = std::min(text_.find_first_not_of(kJsonBlanks, at_), text_.size()); }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  bool take(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  // A string with its quotes; "" if there is none, or no end of it.
  std::string_view string() {
    const std::size_t begin = at_;
    if (at_ == text_.size() || text_[at_] != '"') return {};
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return text_.substr(begin, at_ - begin);
      }
    }
    at_ = text_.size();
    return {};
  }

  // A string, a balanced object or array, or a word.
  std::string_view next_value() {
    const std::size_t begin = at_;
    std::size_t depth = 0;
    do {
      if (at_ == text_.size()) return {};
      const char c = text_[at_];
      if (c == '"') {
        if (string().empty()) return {};
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (depth > 0 && (c == '}' || c == ']')) {
        --depth;
        ++at_;
      } else if (depth > 0) {
        ++at_;
      } else {
        at_ = std::min(text_.find_first_of(",}] \t\r\n", at_), text_.size());
      }
    } while (depth > 0);
    return text_.substr(begin, at_ - begin);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool scan_members(std::string_view text,
                  const std::function<void(std::string_view, std::string_view)>& visit) {
  return Scanner(text).run(visit);
}

bool means(std::string_view spelled, std::string_view name) {
  for (const char wanted : name) {
    if (spelled.starts_with("\\u") && spelled.size() >= 6) {
      std::uint32_t unit = 0;
      const auto end = std::from_chars(spelled.data() + 2, spelled.data() + 6, unit, 16).ptr;
      if (end != spelled.data() + 6 || unit != static_cast<unsigned char>(wanted)) return false;
      spelled.remove_prefix(6);
    } else {
      if (!spelled.starts_with(wanted)) return false;
      spelled.remove_prefix(1);
    }
  }
  return spelled.empty();
}

std::optional<WallTime> read_numeric_date(std::string_view digits) {
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  if (digits.empty() || read.ptr != end) return std::nullopt;
  if (read.ec == std::errc::result_out_of_range)
    return digits.front() == '-' ? WallTime::min() : WallTime::max();
  if (read.ec != std::errc() || std::isnan(value)) return std::nullopt;
  return numeric_date(value);
}

WallTime numeric_date(double value) {
  constexpr auto kLastSecond =
      std::chrono::duration_cast<seconds>(WallTime::max().time_since_epoch()).count();
  if (value >= static_cast<double>(kLastSecond)) return WallTime::max();
  if (value <= -static_cast<double>(kLastSecond)) return WallTime::min();
  // Convert seconds and fraction separately: a double holds current times to a quarter of a
  // microsecond, but cannot hold them in nanoseconds.
  const double whole = std::floor(value);
  return WallTime(seconds(static_cast<std::int64_t>(whole)) +
                  Duration(static_cast<std::int64_t>((value - whole) * 1e9)));
}

}  // namespace claimsd::claims
