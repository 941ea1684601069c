#include "daemon/claims/revocation/order_parser.h"

#include <cstring>

#include "daemon/claims/parse/json_parser.h"

namespace claimsd::daemon {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t kLongest = std::int64_t{10} * 366 * 24 * 3600;  // seconds

class OrderReader {
 public:
  explicit OrderReader(OrderKind kind) : kind_(kind) {}

  Result<ParsedOrder> read(dom::object object) {
    for (const auto& [key, value] : object) TRY(read_member(key, value));
    if (subjects_ != 1)
      return failure("send exactly one of \"token\", \"user\" and \"everybody\": true");
    const bool user = parsed_.order.subject == Subject::kUser;
    if (!parsed_.upstream.empty() && !user)
      return failure("\"upstream\" is valid with \"user\" only");
    if (parsed_.order.lock && !user) return failure("\"lock\" is valid with \"user\" only");
    parsed_.order.who = parsed_.who.view();
    return std::move(parsed_);
  }

 private:
  Status read_member(std::string_view key, dom::element value) {
    if (key == "token") return read_who(value, Subject::kToken, "\"token\" is not a string");
    if (key == "user") return read_who(value, Subject::kUser, "\"user\" is not a string");
    if (key == "everybody") return read_everybody(value);
    if (key == "upstream") return read_upstream(value);
    if (kind_ == OrderKind::kRevoke && key == "for_seconds") return read_length(value);
    if (kind_ == OrderKind::kRevoke && key == "lock") return read_lock(value);
    return failure(kind_ == OrderKind::kRevoke
                       ? "unknown member: use token, user, everybody, upstream, for_seconds or lock"
                       : "unknown member: use token, user, everybody or upstream");
  }

  Status read_who(dom::element value, Subject subject, const char* problem) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return failure(problem);
    parsed_.who = Secret(text);
    parsed_.order.subject = subject;
    ++subjects_;
    return {};
  }

  Status read_everybody(dom::element value) {
    bool wanted = false;
    if (value.get(wanted) != simdjson::SUCCESS || !wanted)
      return failure("\"everybody\" must be true");
    parsed_.order.subject = Subject::kEverybody;
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
    parsed_.order.length = seconds(length);
    return {};
  }

  Status read_lock(dom::element value) {
    if (value.get(parsed_.order.lock) != simdjson::SUCCESS)
      return failure("\"lock\" must be true or false");
    return {};
  }

  OrderKind kind_;
  ParsedOrder parsed_;
  int subjects_ = 0;
};

}  // namespace

Result<ParsedOrder> parse_order(std::string_view body, OrderKind kind) {
  if (body.empty()) return failure("the body is empty: send a JSON object");
  JsonRoom room;
  WipedJson json(room);
  std::memcpy(json.input(body.size()), body.data(), body.size());
  const Result<dom::element> root = json.parse(body.size());
  dom::object object;
  if (!root || root->get(object) != simdjson::SUCCESS)
    return failure("the body is not a JSON object");
  return OrderReader(kind).read(object);
}

}  // namespace claimsd::daemon
