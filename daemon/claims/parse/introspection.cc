#include "daemon/claims/parse/introspection.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "daemon/claims/parse/jwt_scan.h"
#include "daemon/claims/parse/parsed_document.h"

namespace claimsd::claims {
namespace {

// A NumericDate in whole seconds; nothing: not a number.
std::optional<WallTime> whole_date(const Element& value) {
  double number = 0;
  if (value.is_string() || value.get(number) != simdjson::SUCCESS) return std::nullopt;
  return numeric_date(std::floor(number));
}

// `aud` is a string or an array of strings (RFC 7519 section 4.1.3).
bool has_audience(const std::optional<Element>& aud, std::string_view wanted) {
  if (!aud) return false;
  std::string_view text;
  if (aud->get(text) == simdjson::SUCCESS) return text == wanted;
  simdjson::dom::array list;
  if (aud->get(list) != simdjson::SUCCESS) return false;
  return std::any_of(list.begin(), list.end(), [&](const Element& item) {
    std::string_view one;
    return item.get(one) == simdjson::SUCCESS && one == wanted;
  });
}

Introspection refuse(const char* why) {
  return {.accepted = false, .why = why};
}

}  // namespace

Result<Introspection> read_introspection(Element root, const IntrospectionRules& rules) {
  const std::optional<Element> active = TRY(find_member(root, ClaimPath::member("active")));
  bool is_active = false;
  if (!active || active->get(is_active) != simdjson::SUCCESS)
    return failure("member \"active\" is missing or not true or false");
  if (!is_active) return refuse("not active");
  const std::optional<Element> aud = TRY(find_member(root, ClaimPath::member("aud")));
  if (!rules.audience.empty() && !has_audience(aud, rules.audience))
    return refuse("for another audience");
  const std::optional<Element> bound = TRY(find_member(root, ClaimPath::member("cnf")));
  if (bound && !bound->is_null() && !rules.accept_bound)
    return refuse("bound to a key of its client (cnf); see accept_bound");
  Introspection accepted{.accepted = true};
  if (const std::optional<Element> exp = TRY(find_member(root, ClaimPath::member("exp")));
      exp && !exp->is_null()) {
    const std::optional<WallTime> date = whole_date(*exp);
    accepted.expires_at = date.value_or(WallTime::max());
    accepted.has_unreadable_exp = !date;
  }
  return accepted;
}

}  // namespace claimsd::claims
