#include "daemon/claims/parse/member.h"

#include <algorithm>

#include "daemon/base/ascii.h"
#include "daemon/base/parse_integer.h"

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

// An array index as RFC 6901 section 4 spells it: no leading zero, and not "-".
std::optional<std::size_t> index_from(std::string_view step) {
  if (step.size() > 1 && step.front() == '0') return std::nullopt;
  return parse_integer<std::size_t>(step);
}

Result<std::optional<Element>> find_step(Element in, std::string_view step, const ClaimPath& path) {
  std::optional<Element> found;
  if (dom::object object; in.get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) {
      if (key != step) continue;
      if (found) return member_failure(path, "is there twice");
      found = value;
    }
    return found;
  }
  dom::array array;
  const std::optional<std::size_t> index = index_from(step);
  if (!index || in.get(array) != simdjson::SUCCESS) return found;
  if (Element item; array.at(*index).get(item) == simdjson::SUCCESS) found = item;
  return found;
}

}  // namespace

Result<std::optional<Element>> find_member(Element document, const ClaimPath& path) {
  std::optional<Element> found = document;
  for (const std::string& step : path.steps) {
    found = TRY(find_step(*found, step, path));
    if (!found) break;
  }
  return found;
}

Status check_text(std::string_view text, const ClaimPath& path, std::size_t limit) {
  if (has_control_character(text)) return member_failure(path, "contains a control character");
  if (text.size() > limit) return member_failure(path, "is longer than {} bytes", limit);
  return {};
}

}  // namespace claimsd::claims
