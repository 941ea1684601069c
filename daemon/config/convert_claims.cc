#include "daemon/config/convert_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/base/ascii.h"
#include "daemon/base/printable.h"

namespace claimsd::config {
namespace {

constexpr std::int64_t kMaxClaim = 256;  // bytes of a claim's name or JSON Pointer
constexpr std::string_view kExample =
    R"(write a list such as ["groups", "/realm_access/roles", {at = "scope", form = "words"}])";
constexpr std::array kForms = std::to_array<std::string_view>({"list", "words", "keys"});

Result<ClaimPath> claim_from(std::string_view text) {
  if (static_cast<std::int64_t>(text.size()) > kMaxClaim || has_control_character(text))
    return failure(
        fmt::format("a claim must have at most {} bytes, without control characters", kMaxClaim));
  auto path = ClaimPath::parse(text);
  if (!path)
    return failure(fmt::format("\"{}\": {}", printable(text, kMaxShown), path.error().message));
  return path;
}

Result<RoleForm> form_from(const Node& node) {
  const auto found = std::find(kForms.begin(), kForms.end(), node.text);
  if (node.kind != NodeKind::kString || found == kForms.end())
    return failure(
        R"(form must be "list", "words" or "keys", as in {at = "scope", form = "words"})");
  return static_cast<RoleForm>(found - kForms.begin());
}

Result<RoleClaim> role_claim_from(const Node& node) {
  RoleClaim claim;
  if (node.kind == NodeKind::kString) {
    claim.at = TRY(claim_from(node.text));
    return claim;
  }
  if (node.kind != NodeKind::kTable) return failure(std::string(kExample));
  for (const Member& member : node.members) {
    if (member.key == "at" && member.value.kind == NodeKind::kString) {
      claim.at = TRY(claim_from(member.value.text));
    } else if (member.key == "form") {
      claim.form = TRY(form_from(member.value));
    } else {
      return failure(fmt::format("\"{}\" is not expected there: {}",
                                 printable(member.key, kMaxShown), kExample));
    }
  }
  if (claim.at.steps.empty()) return failure(fmt::format("at is missing: {}", kExample));
  return claim;
}

Result<RequiredClaim> required_from(const Member& member) {
  RequiredClaim required;
  required.at = TRY(claim_from(member.key));
  switch (member.value.kind) {
    case NodeKind::kBoolean: required.value = member.value.boolean; break;
    case NodeKind::kInteger: required.value = member.value.integer; break;
    case NodeKind::kFloat: required.value = member.value.real; break;
    case NodeKind::kString:
      if (has_control_character(member.value.text))
        return failure("a required value must not contain control characters");
      required.value = member.value.text;
      break;
    default:
      return failure(
          fmt::format("\"{0}\" must be a boolean, a number or a string, as in {{\"{0}\" = true}}",
                      printable(member.key, kMaxShown)));
  }
  return required;
}

}  // namespace

Result<Value> convert_claim(const Option& /*option*/, const Node& node) {
  Value value;
  value.claim = TRY(claim_from(node.text));
  return value;
}

Result<Value> convert_role_claims(const Option& option, const Node& node) {
  if (static_cast<std::int64_t>(node.items.size()) > option.max)
    return failure(
        fmt::format("found {} claims, the maximum is {}", node.items.size(), option.max));
  Value value;
  for (const Node& item : node.items) {
    RoleClaim claim = TRY(role_claim_from(item));
    for (const RoleClaim& other : value.role_claims) {
      if (other.at == claim.at)
        return failure(
            fmt::format("\"{}\" is listed twice: remove one", printable(claim.at.text, kMaxShown)));
    }
    value.role_claims.push_back(std::move(claim));
  }
  return value;
}

Result<Value> convert_required(const Option& option, const Node& node) {
  if (static_cast<std::int64_t>(node.members.size()) > option.max)
    return failure(
        fmt::format("found {} claims, the maximum is {}", node.members.size(), option.max));
  Value value;
  for (const Member& member : node.members) value.required.push_back(TRY(required_from(member)));
  return value;
}

std::string exact_claims(const Value& value) {
  std::string text = value.claim.text;
  for (const RoleClaim& claim : value.role_claims)
    text += fmt::format("\n{} {}", name_of(claim.form), claim.at.text);
  for (const RequiredClaim& required : value.required) text += "\n" + exact(required);
  return text;
}

std::string exact(const RequiredClaim& required) {
  return fmt::format(
      "{}={}:{}", required.at.text, required.value.index(),
      std::visit([](const auto& value) { return fmt::format("{}", value); }, required.value));
}

std::string_view name_of(RoleForm form) {
  return kForms.at(static_cast<std::size_t>(form));
}

}  // namespace claimsd::config
