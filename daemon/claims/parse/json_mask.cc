#include "daemon/claims/parse/json_mask.h"

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace claimsd::claims {
namespace {

constexpr std::string_view kMaskedNumber =
    R"("\b")";  // the shortest unrepresentable number has 5 characters
constexpr std::string_view kMaskedEscape = R"(\u0008)";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The code unit of "\uXXXX" at the start of `text`.
std::optional<std::uint32_t> unicode_escape(std::string_view text) {
  if (text.size() < 6 || !text.starts_with("\\u")) return std::nullopt;
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, unit, 16);
  if (error != std::errc() || end != text.data() + 6) return std::nullopt;
  return unit;
}

bool is_between(const std::optional<std::uint32_t>& unit, std::uint32_t first, std::uint32_t last) {
  return unit && *unit >= first && *unit <= last;
}

void skip_digits(std::string_view& text) {
  while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
}

// At least one digit.
bool take_digits(std::string_view& text) {
  const std::size_t before = text.size();
  skip_digits(text);
  return text.size() < before;
}

// RFC 8259 section 6.
bool is_number(std::string_view text, bool& is_integer) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.starts_with('0')) {
    text.remove_prefix(1);
  } else if (!take_digits(text)) {
    return false;
  }
  is_integer = text.empty();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!take_digits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

template <class Number>
bool is_out_of_range(std::string_view text) {
  Number number{};
  return std::from_chars(text.data(), text.data() + text.size(), number).ec ==
         std::errc::result_out_of_range;
}

bool is_unrepresentable(std::string_view text) {
  bool is_integer = false;
  if (text.size() <= kMaskedNumber.size() || !is_number(text, is_integer)) return false;
  if (!is_integer) return is_out_of_range<double>(text);
  return text.front() == '-' ? is_out_of_range<std::int64_t>(text)
                             : is_out_of_range<std::uint64_t>(text);
}

class Masker {
 public:
  Masker(char* text, std::size_t size) : text_(text), all_(text, size) {}

  bool run() {
    while (at_ < all_.size()) {
      const char c = all_[at_];
      if (c == '"') {
        ++at_;
        string();
      } else if (c == '-' || is_digit(c)) {
        number();
      } else {
        ++at_;
      }
    }
    return masked_;
  }

 private:
  void string() {
    while (at_ < all_.size() && all_[at_] != '"') {
      if (all_[at_] == '\\') {
        escape();
      } else {
        ++at_;
      }
    }
    ++at_;
  }

  void escape() {
    const auto unit = unicode_escape(all_.substr(at_));
    if (!unit) {
      at_ += 2;
      return;
    }
    if (is_between(unit, 0xd800, 0xdbff) &&
        is_between(unicode_escape(all_.substr(at_ + 6)), 0xdc00, 0xdfff)) {
      at_ += 12;
      return;
    }
    if (is_between(unit, 0xd800, 0xdfff)) mask(kMaskedEscape);
    at_ += 6;
  }

  void number() {
    const std::size_t end = std::min(all_.find_first_not_of("+-.0123456789Ee", at_), all_.size());
    if (is_unrepresentable(all_.substr(at_, end - at_))) {
      std::memset(text_ + at_, ' ', end - at_);
      mask(kMaskedNumber);
    }
    at_ = end;
  }

  void mask(std::string_view with) {
    std::memcpy(text_ + at_, with.data(), with.size());
    masked_ = true;
  }

  char* text_;
  std::string_view all_;
  std::size_t at_ = 0;
  bool masked_ = false;
};

}  // namespace

bool mask_unrepresentable(char* text, std::size_t size) {
  return Masker(text, size).run();
}

}  // namespace claimsd::claims
