#include "daemon/claims/revocation/action_parser.h"

#include <cstring>

#include "daemon/claims/parse/json_parser.h"

namespace claimsd::claims {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kLongest = std::int64_t{10} * 366 * 24 * 3600;  // seconds

class ActionReader {
 public:
  explicit ActionReader(ActionKind kind) : kind_(kind) {}

  Result<ParsedAction> read(dom::object object) {
    for (const auto& [key, value] : object) TRY(read_member(key, value));
    if (subjects_ != 1)
      return failure("send exactly one of \"token\", \"user\" and \"all_users\": true");
    const bool user = parsed_.action.subject == Subject::kUser;
    if (!parsed_.upstream.empty() && !user)
      return failure("\"upstream\" is valid with \"user\" only");
    if (parsed_.action.lock && !user) return failure("\"lock\" is valid with \"user\" only");
    parsed_.action.who = parsed_.who.view();
    return std::move(parsed_);
  }

 private:
  Status read_member(std::string_view key, dom::element value) {
    if (key == "token") return read_who(value, Subject::kToken, "\"token\" is not a string");
    if (key == "user") return read_who(value, Subject::kUser, "\"user\" is not a string");
    if (key == "all_users") return read_all_users(value);
    if (key == "upstream") return read_upstream(value);
    if (kind_ == ActionKind::kRevoke && key == "for_seconds") return read_length(value);
    if (kind_ == ActionKind::kRevoke && key == "lock") return read_lock(value);
    return failure(kind_ == ActionKind::kRevoke
                       ? "unknown member: use token, user, all_users, upstream, for_seconds or lock"
                       : "unknown member: use token, user, all_users or upstream");
  }

  Status read_who(dom::element value, Subject subject, const char* problem) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return failure(problem);
    parsed_.who = Secret(text);
    parsed_.action.subject = subject;
    ++subjects_;
    return {};
  }

  Status read_all_users(dom::element value) {
    bool wanted = false;
    if (value.get(wanted) != simdjson::SUCCESS || !wanted)
      return failure("\"all_users\" must be true");
    parsed_.action.subject = Subject::kAllUsers;
    ++subjects_;
    return {};
  }

  Status read_upstream(dom::element value) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS || text.empty())
      return failure("\"upstream\" must be the name of an upstream");
    parsed_.upstream = text;
    return {};
  }

  Status read_length(dom::element value) {
    std::int64_t length = 0;
    if (value.get(length) != simdjson::SUCCESS || length < 1 || length > kLongest)
      return failure("\"for_seconds\" must be an integer from 1 to 316224000 (ten years)");
    parsed_.action.length = seconds(length);
    return {};
  }

  Status read_lock(dom::element value) {
    if (value.get(parsed_.action.lock) != simdjson::SUCCESS)
      return failure("\"lock\" must be true or false");
    return {};
  }

  ActionKind kind_;
  ParsedAction parsed_;
  int subjects_ = 0;
};

// Calls `read` with the object that `body` holds.
template <class Read>
auto read_object(std::string_view body, Read&& read) -> decltype(read(dom::object())) {
  if (body.empty()) return failure("the body is empty: send a JSON object");
  JsonBuffers buffers;
  WipedJson json(buffers);
  std::memcpy(json.input(body.size()), body.data(), body.size());
  const Result<dom::element> root = json.parse(body.size());
  dom::object object;
  if (!root || root->get(object) != simdjson::SUCCESS)
    return failure("the body is not a JSON object");
  return read(object);
}

}  // namespace

Result<ParsedAction> parse_action(std::string_view body, ActionKind kind) {
  return read_object(body, [kind](dom::object object) { return ActionReader(kind).read(object); });
}

Result<ActionId> parse_action_id(std::string_view body) {
  return read_object(body, [](dom::object object) -> Result<ActionId> {
    std::optional<ActionId> id;
    for (const auto& [key, value] : object) {
      std::string_view text;
      if (key == "id" && value.get(text) == simdjson::SUCCESS) id = action_id_of(text);
      if (key != "id" || !id) break;
    }
    if (object.size() != 1 || !id)
      return failure("send only \"id\", the 32 hexadecimal digits that name the action");
    return *id;
  });
}

}  // namespace claimsd::claims
