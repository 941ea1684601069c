#include "daemon/claims/parse/raw_claims.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "daemon/base/ascii.h"
#include "daemon/claims/parse/member.h"

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

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
  // The text contains no control characters.
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
  bool add_value(Element value) {
    if (std::string_view text; value.get(text) == simdjson::SUCCESS)
      return has_control_character(text) ? add("null") : add_string(text);
    if (dom::array array; value.get(array) == simdjson::SUCCESS) return add_array(array);
    if (std::int64_t number = 0; value.get(number) == simdjson::SUCCESS) return add_number(number);
    if (std::uint64_t number = 0; value.get(number) == simdjson::SUCCESS) return add_number(number);
    return add("null");
  }
  std::size_t size() const { return size_; }

 private:
  bool add_number(auto number) {
    std::array<char, 24> digits;
    const char* const end = fmt::format_to(digits.data(), "{}", number);
    return add({digits.data(), static_cast<std::size_t>(end - digits.data())});
  }

  bool add_array(dom::array array) {
    bool whole = add("[");
    bool first = true;
    for (const Element item : array) {
      whole = whole && (std::exchange(first, false) || add(",")) && add_value(item);
    }
    return whole && add("]");
  }

  Secret& to_;
  std::size_t size_ = 0;
};

bool is_essential(std::string_view key, const ClaimMapping& mapping) {
  const auto names = [key](const ClaimPath& path) {
    return path.is_top_level() && path.steps.front() == key;
  };
  return names(mapping.id) || names(mapping.email) ||
         std::any_of(mapping.roles.begin(), mapping.roles.end(), [&](const RoleClaim& claim) {
           return claim.form != RoleForm::kKeys && names(claim.at);
         });
}

std::size_t write_essentials(dom::object object, const ClaimMapping& mapping, Secret& raw) {
  Appender out(raw);
  bool whole = out.add("{");
  for (const auto& [key, value] : object) {
    if (!is_essential(key, mapping)) continue;
    // Skip member names that need escapes; the parsed fields carry their values.
    if (key.find_first_of("\"\\") != std::string_view::npos) continue;
    whole = whole && (out.size() == 1 || out.add(",")) && out.add_string(key) && out.add(":") &&
            out.add_value(value);
  }
  if (whole && out.add("}") && out.size() <= mapping.max_raw) return out.size();
  std::memcpy(raw.data(), "{}", 2);
  return 2;
}

}  // namespace

std::string_view raw_claims(std::string_view body, dom::object object, const ClaimMapping& mapping,
                            Secret& room, DocumentNotes& notes) {
  if (body.size() <= mapping.max_raw) return body;
  room = Secret(body.size() + 2);
  std::size_t size = 0;
  if (simdjson::minify(body.data(), body.size(), room.data(), size) == simdjson::SUCCESS &&
      size <= mapping.max_raw) {
    notes.compacted = true;
    return {room.data(), size};
  }
  notes.truncated = true;
  return {room.data(), write_essentials(object, mapping, room)};
}

}  // namespace claimsd::claims
