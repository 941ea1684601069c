#include "daemon/claims/parse/document_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "daemon/base/printable.h"
#include "daemon/claims/parse/json_parser.h"
#include "daemon/claims/parse/jwt_payload.h"
#include "daemon/claims/parse/member.h"
#include "daemon/claims/parse/required_claims.h"
#include "daemon/claims/parse/role_reader.h"

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxName = 128;  // bytes of a member's name that are shown

std::string counted(std::size_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

bool is_integer(Element value) {
  return value.is_int64() || value.is_uint64();
}

std::string describe_list(dom::array list) {
  const auto all = [list](auto is) { return std::all_of(list.begin(), list.end(), is); };
  if (list.size() > 0 && all([](Element one) { return one.is_string(); }))
    return "list of " + counted(list.size(), "string");
  if (list.size() > 0 && all([](Element one) { return one.is_object(); }))
    return "list of " + counted(list.size(), "object");
  return "list of " + counted(list.size(), "value");
}

std::string describe(Element value) {
  std::string_view text;
  dom::array list;
  dom::object object;
  if (value.get(text) == simdjson::SUCCESS) return "string of " + counted(text.size(), "byte");
  if (value.get(list) == simdjson::SUCCESS) return describe_list(list);
  if (value.get(object) == simdjson::SUCCESS)
    return "object of " + counted(object.size(), "member");
  if (value.is_bool()) return "boolean";
  if (value.is_null()) return "null";
  return is_integer(value) ? "integer" : "number";
}

std::string escaped(std::string_view name) {
  std::string step;
  for (const char c : name) step += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return printable(step, kMaxName);
}

// A member and where it is.
struct Place {
  std::string at;
  Element value;
};

// Members from the outermost to the innermost.
class Places {
 public:
  explicit Places(dom::object document) {
    add_members("", document, 1);
    for (std::size_t at = 0; at < all_.size(); ++at) {
      const Place place = all_[at];
      const auto depth =
          static_cast<std::size_t>(std::count(place.at.begin(), place.at.end(), '/'));
      if (dom::object object; place.value.get(object) == simdjson::SUCCESS)
        add_members(place.at, object, depth + 1);
    }
  }
  const std::vector<Place>& all() const { return all_; }
  bool cut() const { return cut_; }

 private:
  void add_members(const std::string& under, dom::object object, std::size_t depth) {
    for (const auto& [key, value] : object) {
      if (depth > kMaxReportedDepth || all_.size() == kMaxReportedMembers) {
        cut_ = true;
        return;
      }
      all_.push_back({under + "/" + escaped(key), value});
    }
  }

  std::vector<Place> all_;
  bool cut_ = false;
};

std::string last_step(const std::string& at) {
  return at.substr(at.rfind('/') + 1);
}

// How a member is written in an option: a top-level name without escapes as it is.
std::string option_text(const std::string& at) {
  const bool plain = at.rfind('/') == 0 && at.find('~') == std::string::npos;
  return fmt::format("\"{}\"", plain ? at.substr(1) : at);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool is_string_list(Element value) {
  dom::array list;
  return value.get(list) == simdjson::SUCCESS && list.size() > 0 &&
         std::all_of(list.begin(), list.end(), [](Element one) { return one.is_string(); });
}

// The item of `role_claims` for a member that looks like roles; "" if it does not.
std::string role_item(const Place& place) {
  const std::string name = last_step(place.at);
  const bool named =
      contains(name, "role") || contains(name, "group") || contains(name, "permission");
  if (named && (is_string_list(place.value) || place.value.is_string()))
    return option_text(place.at);
  if (contains(name, "roles") && place.value.is_object())
    return fmt::format("{{at = {}, form = \"keys\"}}", option_text(place.at));
  if ((name == "scope" || name == "scp") && place.value.is_string())
    return fmt::format("{{at = {}, form = \"words\"}}", option_text(place.at));
  return "";
}

std::string role_hint(const Places& places) {
  constexpr std::size_t kMaxItems = 5;
  std::vector<std::string> items;
  for (const Place& place : places.all()) {
    // The members of an object of roles are roles, not claims.
    std::string item = items.size() < kMaxItems ? role_item(place) : "";
    if (!item.empty()) items.push_back(std::move(item));
  }
  if (items.empty())
    return "the document has no roles: configure the provider to add them to this answer";
  return fmt::format("write role_claims = [{}], or those of them that are roles",
                     fmt::join(items, ", "));
}

std::string id_hint(const Places& places) {
  constexpr std::array<std::string_view, 7> kNames = {"/sub", "/id", "/user_id", "/uid",
                                                      "/oid", "/pk", "/username"};
  for (const std::string_view name : kNames) {
    for (const Place& place : places.all()) {
      if (place.at == name && (place.value.is_string() || is_integer(place.value)))
        return fmt::format("write id_claim = {}", option_text(place.at));
    }
  }
  return "name a member that is a string or an integer and never changes for a user";
}

ClaimReport describe_id(Element document, const ClaimMapping& mapping, const Places& places) {
  ClaimReport report{.option = "id_claim", .claim = mapping.id.text};
  const auto value = find_member(document, mapping.id);
  if (!value) {
    report.found = value.error().message;
  } else if (!*value) {
    report.found = "missing";
  } else {
    std::string_view text;
    const bool is_text = (*value)->get(text) == simdjson::SUCCESS && !text.empty();
    const Status checked = is_text ? check_text(text, mapping.id, proto::kMaxId) : Status();
    report.good = is_integer(**value) || (is_text && checked);
    report.found = checked ? describe(**value) : checked.error().message;
  }
  if (!report.good) report.hint = id_hint(places);
  return report;
}

ClaimReport describe_email(Element document, const ClaimMapping& mapping) {
  ClaimReport report{.option = "email_claim", .claim = mapping.email.text};
  const auto value = find_member(document, mapping.email);
  if (!value) {
    report.found = value.error().message;
    return report;
  }
  std::string_view text;
  const bool is_text = *value && (*value)->get(text) == simdjson::SUCCESS;
  report.good = is_text && check_text(text, mapping.email, proto::kMaxEmail);
  report.found = *value ? describe(**value) : "missing";
  if (!report.good) report.hint = "users are valid without an email address";
  return report;
}

ClaimReport describe_role_claim(Element document, const RoleClaim& claim, RoleReader& reader) {
  ClaimReport report{.option = "role_claims", .claim = claim.at.text};
  const std::size_t before = reader.roles().size();
  const Result<bool> added = reader.add(document, claim);
  report.good = added && *added;
  report.found = !added ? added.error().message
                 : *added
                     ? counted(reader.roles().size() - before, before > 0 ? "further role" : "role")
                     : "missing";
  return report;
}

void describe_required(Element document, const char* option,
                       const std::vector<RequiredClaim>& required,
                       std::vector<ClaimReport>& reports) {
  for (const RequiredClaim& one : required) {
    ClaimReport& report = reports.emplace_back(ClaimReport{.option = option, .claim = one.at.text});
    const auto value = find_member(document, one.at);
    const std::vector<RequiredClaim> alone = {one};
    const auto mismatch = find_mismatch(document, alone);
    report.good = mismatch && *mismatch == nullptr;
    report.found = !value        ? value.error().message
                   : !*value     ? "missing"
                   : report.good ? "has the required value"
                                 : describe(**value) + " with another value";
  }
}

void describe_roles(Element document, const ClaimMapping& mapping, const Places& places,
                    std::vector<ClaimReport>& reports) {
  RoleReader reader;
  const std::size_t first = reports.size();
  for (const RoleClaim& claim : mapping.roles)
    reports.push_back(describe_role_claim(document, claim, reader));
  const auto omitted = find_omitted_roles(document, mapping.roles);
  if (omitted && *omitted != nullptr)
    reports.push_back({.option = "role_claims",
                       .claim = (*omitted)->at.text,
                       .found = "left out by the provider, because the user has too many groups",
                       .hint = "use application roles, or reduce the user's groups"});
  if (!reader.roles().empty() || reports.size() == first) return;
  reports.back().hint = role_hint(places);
}

bool list_members(const Result<Element>& root, DocumentReport& report, dom::object& object) {
  if (!root) {
    report.problem = root.error().message;
    return false;
  }
  report.is_object = root->get(object) == simdjson::SUCCESS;
  if (!report.is_object) report.problem = "a " + describe(*root) + ", not an object";
  return report.is_object;
}

void copy_places(const Places& places, DocumentReport& report) {
  report.cut = places.cut();
  for (const Place& place : places.all())
    report.members.push_back({place.at, describe(place.value)});
}

}  // namespace

DocumentReport describe_document(std::string_view body, const ClaimMapping& mapping) {
  DocumentReport report;
  JsonBuffers buffers;
  WipedJson json(buffers);
  char* const input = json.input(body.size());
  if (!body.empty()) std::memcpy(input, body.data(), body.size());
  const Result<Element> root = json.parse_tolerantly(body.size());
  dom::object object;
  if (!list_members(root, report, object)) return report;
  const Places places(object);
  copy_places(places, report);
  describe_required(*root, "require", mapping.require, report.claims);
  report.claims.push_back(describe_id(*root, mapping, places));
  report.claims.push_back(describe_email(*root, mapping));
  describe_roles(*root, mapping, places, report.claims);
  return report;
}

DocumentReport describe_token(std::string_view token, const ClaimMapping& mapping) {
  DocumentReport report;
  JsonBuffers buffers;
  WipedJson json(buffers);
  const std::optional<std::size_t> size = decode_payload(token, json);
  const Result<Element> root = size && *size > 0 ? json.parse_tolerantly(*size) : failure("opaque");
  dom::object object;
  if (!list_members(root, report, object)) return report;
  copy_places(Places(object), report);
  describe_required(*root, "require_token", mapping.require_token, report.claims);
  return report;
}

}  // namespace claimsd::claims
