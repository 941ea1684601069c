#include "daemon/claims/parse/required_claims.h"

#include <algorithm>

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

bool equals(Element value, bool wanted) {
  bool found = false;
  return value.get(found) == simdjson::SUCCESS && found == wanted;
}

bool equals(Element value, const std::string& wanted) {
  std::string_view found;
  return value.get(found) == simdjson::SUCCESS && found == wanted;
}

bool equals(Element value, double wanted) {
  double found = 0;  // simdjson converts integers
  return !value.is_bool() && value.get(found) == simdjson::SUCCESS && found == wanted;
}

bool equals(Element value, std::int64_t wanted) {
  if (std::int64_t found = 0; value.get(found) == simdjson::SUCCESS) return found == wanted;
  return equals(value, static_cast<double>(wanted));
}

bool is_met(Element value, const RequiredClaim& required) {
  const auto matches = [&](Element one) {
    return std::visit([one](const auto& wanted) { return equals(one, wanted); }, required.value);
  };
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return matches(value);
  return std::any_of(array.begin(), array.end(), matches);
}

}  // namespace

Result<const RequiredClaim*> find_mismatch(Element document,
                                           const std::vector<RequiredClaim>& required) {
  for (const RequiredClaim& one : required) {
    const std::optional<Element> value = TRY(find_member(document, one.at));
    if (!value || !is_met(*value, one)) return &one;
  }
  return nullptr;
}

}  // namespace claimsd::claims
