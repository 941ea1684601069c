#include "daemon/claims/claims_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <vector>

#include "proto/claims_block.h"

namespace claimsd::daemon {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 32;

Status check_text(std::string_view text) {
  const bool clean = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  // NUL, CR and LF would travel on into headers, logs and C strings.
  return clean ? Status() : failure("a string holds a control character");
}

Status check_element(dom::element element);

Status check_object(dom::object object) {
  std::vector<std::string_view> keys;
  for (const auto& [key, value] : object) {
    TRY(check_text(key));
    TRY(check_element(value));
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
    // Two readers would see two different users.
    return failure("an object has a member twice");
  }
  return {};
}

// The recursion is bounded by the parser's depth.
Status check_element(dom::element element) {
  if (dom::object object; element.get(object) == simdjson::SUCCESS) return check_object(object);
  if (dom::array array; element.get(array) == simdjson::SUCCESS) {
    for (const dom::element item : array) TRY(check_element(item));
    return {};
  }
  std::string_view text;
  return element.get(text) == simdjson::SUCCESS ? check_text(text) : Status();
}

Result<std::string> read_id(dom::object object, const std::string& name) {
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) {
    return failure(fmt::format("member \"{}\" is missing", name));
  }
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    if (text.empty()) return failure(fmt::format("member \"{}\" is empty", name));
    return std::string(text);
  }
  if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS)
    return fmt::format("{}", number);
  if (std::uint64_t number = 0; value.get(number) == simdjson::SUCCESS)
    return fmt::format("{}", number);
  return failure(fmt::format("member \"{}\" is neither a string nor an integer", name));
}

Result<std::string> read_email(dom::object object, const std::string& name) {
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return std::string();
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    return failure(fmt::format("member \"{}\" is not a string", name));
  }
  return std::string(text);
}

Result<std::vector<std::string>> read_roles(dom::object object, const std::string& name) {
  std::vector<std::string> roles;
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return roles;
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    if (!text.empty()) roles.emplace_back(text);
    return roles;
  }
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) {
    return failure(fmt::format("member \"{}\" is neither a string nor an array of strings", name));
  }
  for (const dom::element item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS || text.empty()) {
      return failure(fmt::format("member \"{}\" lists something that is not a role's name", name));
    }
    roles.emplace_back(text);
  }
  return roles;
}

// The object without white space; where that is too large, its id, email and role alone, or
// nothing.
std::string raw_claims(std::string_view body, dom::object object, const ClaimNames& names,
                       bool& trimmed) {
  std::string raw(body.size(), '\0');
  std::size_t size = 0;
  if (simdjson::minify(body.data(), body.size(), raw.data(), size) == simdjson::SUCCESS &&
      size <= proto::kMaxRawClaims) {
    raw.resize(size);
    return raw;
  }
  trimmed = true;
  std::string kept;
  for (const auto& [key, value] : object) {
    if (key != names.id && key != names.email && key != names.role) continue;
    // Member names that need escapes are not worth keeping here: the parsed fields carry them.
    if (key.find_first_of("\"\\") != std::string_view::npos) continue;
    kept += fmt::format("{}\"{}\":{}", kept.empty() ? "" : ",", key, simdjson::minify(value));
  }
  // With their escapes even these may be too large, and are parsed all the same.
  if (kept.size() + 2 > proto::kMaxRawClaims) kept.clear();
  return "{" + kept + "}";
}

}  // namespace

Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names) {
  if (body.empty()) return failure("not one JSON document: empty");  // whose data() may be null
  dom::parser parser;
  if (parser.allocate(body.size() + 1, kMaxDepth) != simdjson::SUCCESS) {
    return failure("no memory to parse it");
  }
  dom::element root;
  if (const auto error = parser.parse(body.data(), body.size()).get(root);
      error != simdjson::SUCCESS) {
    return failure(fmt::format("not one JSON document: {}", simdjson::error_message(error)));
  }
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return failure("not a JSON object");
  TRY(check_object(object));

  const std::string id = TRY(read_id(object, names.id));
  const std::string email = TRY(read_email(object, names.email));
  const std::vector<std::string> roles = TRY(read_roles(object, names.role));

  ParsedClaims parsed;
  const std::string raw = raw_claims(body, object, names, parsed.trimmed);
  // Exactly as large as it must be: the largest block is 25 KiB.
  parsed.block = Secret(proto::claims_block_size(id, email, roles, raw));
  proto::Writer writer(parsed.block.data(), parsed.block.view().size());
  if (!proto::encode_claims(writer, id, email, roles, raw)) {
    return failure(fmt::format("id, email or roles are longer than {}, {} and {} times {} bytes",
                               proto::kMaxId, proto::kMaxEmail, proto::kMaxRoles, proto::kMaxRole));
  }
  return parsed;
}

}  // namespace claimsd::daemon
