#include "daemon/claims/parse/introspection.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "daemon/claims/parse/json_parser.h"

namespace claimsd::claims {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

// The member, or nothing. Two of the same name are an error: two readers could see two values.
Result<std::optional<element>> member(const object& document, std::string_view name) {
  std::optional<element> found;
  for (const auto& field : document) {
    if (field.key != name) continue;
    if (found) return failure(fmt::format("member \"{}\" occurs twice", name));
    found = field.value;
  }
  return found;
}

// A NumericDate, clamped to the range of WallTime; nothing: not a number.
std::optional<WallTime> numeric_date(const element& value) {
  constexpr auto kLast = static_cast<double>(
      std::chrono::duration_cast<seconds>(WallTime::max().time_since_epoch()).count());
  double number = 0;
  if (value.is_string() || value.get(number) != simdjson::SUCCESS) return std::nullopt;
  if (number >= kLast) return WallTime::max();
  if (number <= -kLast) return WallTime::min();
  return WallTime(seconds(static_cast<std::int64_t>(std::floor(number))));
}

// `aud` is a string or an array of strings (RFC 7519 section 4.1.3).
bool has_audience(const std::optional<element>& aud, std::string_view wanted) {
  if (!aud) return false;
  std::string_view text;
  if (aud->get(text) == simdjson::SUCCESS) return text == wanted;
  simdjson::dom::array list;
  if (aud->get(list) != simdjson::SUCCESS) return false;
  return std::any_of(list.begin(), list.end(), [&](const element& item) {
    std::string_view one;
    return item.get(one) == simdjson::SUCCESS && one == wanted;
  });
}

Introspection refuse(const char* why) {
  return {.accepted = false, .why = why};
}

}  // namespace

Result<Introspection> read_introspection(std::string_view body, const IntrospectionRules& rules,
                                         JsonBuffers& buffers) {
  WipedJson json(buffers);
  std::copy(body.begin(), body.end(), json.input(body.size()));
  const element root = TRY(json.parse_tolerantly(body.size()));
  object document;
  if (root.get(document) != simdjson::SUCCESS) return failure("not a JSON object");
  const std::optional<element> active = TRY(member(document, "active"));
  bool is_active = false;
  if (!active || active->get(is_active) != simdjson::SUCCESS)
    return failure("member \"active\" is missing or not true or false");
  if (!is_active) return refuse("not active");
  const std::optional<element> aud = TRY(member(document, "aud"));
  if (!rules.audience.empty() && !has_audience(aud, rules.audience))
    return refuse("for another audience");
  const std::optional<element> bound = TRY(member(document, "cnf"));
  if (bound && !bound->is_null() && !rules.accept_bound)
    return refuse("bound to a key of its client (cnf); see accept_bound");
  Introspection accepted{.accepted = true};
  if (const std::optional<element> exp = TRY(member(document, "exp")); exp && !exp->is_null()) {
    const std::optional<WallTime> date = numeric_date(*exp);
    accepted.expires_at = date.value_or(WallTime::max());
    accepted.has_unreadable_exp = !date;
  }
  return accepted;
}

}  // namespace claimsd::claims
