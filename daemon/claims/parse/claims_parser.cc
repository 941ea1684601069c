#include "daemon/claims/parse/claims_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "daemon/claims/parse/json_parser.h"
#include "proto/claims_block.h"

namespace claimsd::daemon {
namespace {

namespace dom = simdjson::dom;

Status check_text(std::string_view text) {
  const bool clean = std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  // NUL, CR and LF could be injected into headers, logs and C strings.
  return clean ? Status() : failure("a string contains a control character");
}

Status check_element(dom::element element);

Status check_object(dom::object object) {
  std::vector<std::string_view> keys;
  keys.reserve(object.size());
  for (const auto& [key, value] : object) {
    TRY(check_text(key));
    TRY(check_element(value));
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
    // Two parsers could see two different users.
    return failure("an object has a duplicate member");
  }
  return {};
}

// Recursion is bounded by the parser's depth limit.
Status check_element(dom::element element) {
  if (dom::object object; element.get(object) == simdjson::SUCCESS) return check_object(object);
  if (dom::array array; element.get(array) == simdjson::SUCCESS) {
    for (const dom::element item : array) TRY(check_element(item));
    return {};
  }
  std::string_view text;
  return element.get(text) == simdjson::SUCCESS ? check_text(text) : Status();
}

// Buffer for the digits of an integer id.
using Digits = std::array<char, 24>;

std::string_view written(auto number, Digits& digits) {
  const char* const end = fmt::format_to(digits.data(), "{}", number);
  return {digits.data(), static_cast<std::size_t>(end - digits.data())};
}

Result<std::string_view> read_id(dom::object object, const std::string& name, Digits& digits) {
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) {
    return failure(fmt::format("member \"{}\" is missing", name));
  }
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    if (text.empty()) return failure(fmt::format("member \"{}\" is empty", name));
    return text;
  }
  if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS)
    return written(number, digits);
  if (std::uint64_t number = 0; value.get(number) == simdjson::SUCCESS)
    return written(number, digits);
  return failure(fmt::format("member \"{}\" is neither a string nor an integer", name));
}

Result<std::string_view> read_email(dom::object object, const std::string& name) {
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null())
    return std::string_view();
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) {
    return failure(fmt::format("member \"{}\" is not a string", name));
  }
  return text;
}

Result<std::vector<std::string_view>> read_roles(dom::object object, const std::string& name) {
  std::vector<std::string_view> roles;
  dom::element value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return roles;
  if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
    if (!text.empty()) roles.push_back(text);
    return roles;
  }
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) {
    return failure(fmt::format("member \"{}\" is neither a string nor an array of strings", name));
  }
  for (const dom::element item : array) {
    std::string_view text;
    if (item.get(text) != simdjson::SUCCESS || text.empty()) {
      return failure(fmt::format("member \"{}\" contains an item that is not a role name", name));
    }
    roles.push_back(text);
  }
  return roles;
}

// Appends JSON to a fixed-size buffer; functions return false when it is full. (simdjson::minify()
// of an element would leave copies in memory.)
class Appender {
 public:
  explicit Appender(Secret& to) : to_(to) {}
  bool add(std::string_view text) {
    if (text.size() > to_.view().size() - size_) return false;
    std::memcpy(to_.data() + size_, text.data(), text.size());
    size_ += text.size();
    return true;
  }
  // The text contains no control characters (check_text).
  bool add_string(std::string_view text) {
    bool whole = add("\"");
    while (whole && !text.empty()) {
      const std::size_t plain = std::min(text.find_first_of("\"\\"), text.size());
      whole = add(text.substr(0, plain));
      text.remove_prefix(plain);
      if (text.empty()) break;
      whole = whole && add("\\") && add(text.substr(0, 1));
      text.remove_prefix(1);
    }
    return whole && add("\"");
  }
  // Writes the types allowed for id, email and roles; anything else becomes null.
  bool add_value(dom::element value) {
    if (std::string_view text; value.get(text) == simdjson::SUCCESS) return add_string(text);
    if (dom::array array; value.get(array) == simdjson::SUCCESS) return add_array(array);
    Digits digits;
    if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS)
      return add(written(number, digits));
    if (std::uint64_t number = 0; value.get(number) == simdjson::SUCCESS)
      return add(written(number, digits));
    return add("null");
  }
  std::size_t size() const { return size_; }

 private:
  bool add_array(dom::array array) {
    bool whole = add("[");
    bool first = true;
    for (const dom::element item : array) {
      whole = whole && (std::exchange(first, false) || add(",")) && add_value(item);
    }
    return whole && add("]");
  }

  Secret& to_;
  std::size_t size_ = 0;
};

// Writes only the members for id, email and role, unchanged; writes "{}" if even those are too
// large when escaped. The parsed fields carry them anyway.
std::size_t raw_essentials(dom::object object, const ClaimNames& names, Secret& raw) {
  Appender out(raw);
  bool whole = out.add("{");
  for (const auto& [key, value] : object) {
    if (key != names.id && key != names.email && key != names.role) continue;
    // Skip member names that need escapes; the parsed fields carry their values.
    if (key.find_first_of("\"\\") != std::string_view::npos) continue;
    whole = whole && (out.size() == 1 || out.add(",")) && out.add_string(key) && out.add(":") &&
            out.add_value(value);
  }
  if (whole && out.add("}") && out.size() <= proto::kMaxRawClaims) return out.size();
  std::memcpy(raw.data(), "{}", 2);
  return 2;
}

// Writes the object without white space, or only its essential members if it is too large. Returns
// the size used in `raw`, which must be as large as the body.
std::size_t raw_claims(std::string_view body, dom::object object, const ClaimNames& names,
                       Secret& raw, bool& trimmed) {
  std::size_t size = 0;
  if (simdjson::minify(body.data(), body.size(), raw.data(), size) == simdjson::SUCCESS &&
      size <= proto::kMaxRawClaims) {
    return size;
  }
  trimmed = true;
  return raw_essentials(object, names, raw);
}

}  // namespace

Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names) {
  JsonRoom room;
  return parse_claims(body, names, room);
}

Result<ParsedClaims> parse_claims(std::string_view body, const ClaimNames& names, JsonRoom& room) {
  WipedJson json(room);
  char* const input = json.input(body.size());
  // For an empty body, data() may be null.
  if (!body.empty()) std::memcpy(input, body.data(), body.size());
  const dom::element root = TRY(json.parse(body.size()));
  dom::object object;
  if (root.get(object) != simdjson::SUCCESS) return failure("not a JSON object");
  TRY(check_object(object));

  Digits digits;
  const std::string_view id = TRY(read_id(object, names.id, digits));
  const std::string_view email = TRY(read_email(object, names.email));
  const std::vector<std::string_view> roles = TRY(read_roles(object, names.role));

  ParsedClaims parsed;
  Secret whole(body.size() + 2);
  const std::string_view raw(whole.data(), raw_claims(body, object, names, whole, parsed.trimmed));
  // Allocate the exact size: the largest block is 25 KiB.
  parsed.block = Secret(proto::claims_block_size(id, email, roles, raw));
  proto::Writer writer(parsed.block.data(), parsed.block.view().size());
  if (!proto::encode_claims(writer, id, email, roles, raw)) {
    return failure(fmt::format("id, email or roles are longer than {}, {} and {} times {} bytes",
                               proto::kMaxId, proto::kMaxEmail, proto::kMaxRoles, proto::kMaxRole));
  }
  return parsed;
}

}  // namespace claimsd::daemon
