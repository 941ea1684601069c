#include "client/claimsctl/reply.h"

#include <fmt/core.h>
#include <simdjson.h>

namespace claimsd::claimsctl {
namespace {

Problem not_claimsd(const AdminReply& reply, const std::string& socket) {
  return {
      Exit::kUnavailable, "bad_reply",
      fmt::format("the server on {} does not support this request (HTTP {})", socket, reply.status),
      "check that claimsd listens there and is as new as this claimsctl"};
}

}  // namespace

std::optional<Reply> Reply::parse(std::string_view text) {
  struct Parsed {
    simdjson::dom::parser parser;
    Element root;
  };
  const auto parsed = std::make_shared<Parsed>();
  if (parsed->parser.parse(text.data(), text.size()).get(parsed->root) != simdjson::SUCCESS)
    return std::nullopt;
  return Reply(std::shared_ptr<const Element>(parsed, &parsed->root));
}

std::string text_at(const Element& from, std::string_view pointer) {
  std::string_view text;
  return from.at_pointer(pointer).get(text) == simdjson::SUCCESS ? printable(text) : "";
}

double number_at(const Element& from, std::string_view pointer) {
  double number = 0;
  return from.at_pointer(pointer).get(number) == simdjson::SUCCESS ? number : 0;
}

std::uint64_t count_at(const Element& from, std::string_view pointer) {
  std::uint64_t count = 0;
  return from.at_pointer(pointer).get(count) == simdjson::SUCCESS ? count : 0;
}

bool truth_at(const Element& from, std::string_view pointer) {
  bool truth = false;
  return from.at_pointer(pointer).get(truth) == simdjson::SUCCESS && truth;
}

bool has(const Element& from, std::string_view pointer) {
  Element there;
  return from.at_pointer(pointer).get(there) == simdjson::SUCCESS && !there.is_null();
}

void each_at(const Element& from, std::string_view pointer, const ElementVisit& visit) {
  simdjson::dom::array array;
  if (from.at_pointer(pointer).get(array) != simdjson::SUCCESS) return;
  for (const Element element : array) visit(element);
}

bool object_at(const Element& from, std::string_view pointer, const ElementVisit& visit) {
  Element there;
  if (from.at_pointer(pointer).get(there) != simdjson::SUCCESS || !there.is_object()) return false;
  visit(there);
  return true;
}

void each_member_at(const Element& from, std::string_view pointer,
                    const std::function<void(const std::string&, const Element&)>& visit) {
  simdjson::dom::object object;
  if (from.at_pointer(pointer).get(object) != simdjson::SUCCESS) return;
  for (const auto& [name, value] : object) visit(printable(name), value);
}

std::string json_text(const Element& element) {
  return simdjson::minify(element);
}

std::string json_with_schema(const Element& object) {
  return json_text(object).replace(0, 1, fmt::format("{{\"schema\":{},", kOutputSchema));
}

std::string on_one_line(std::string_view json) {
  std::string line(json.size(), '\0');
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), line.data(), size) != simdjson::SUCCESS) size = 0;
  line.resize(size);
  return line;
}

Problem refused(const AdminReply& reply, const std::string& socket) {
  const auto parsed = Reply::parse(reply.body);
  if (!parsed || text_at(parsed->root(), "/error/code").empty()) return not_claimsd(reply, socket);
  const Element& root = parsed->root();
  const bool configured = reply.status == 409;
  const bool wrong = reply.status >= 400 && reply.status < 500;
  const Exit exit = configured ? Exit::kConfigError : wrong ? Exit::kUsage : Exit::kUnavailable;
  std::string_view message;
  if (root.at_pointer("/error/message").get(message) != simdjson::SUCCESS) message = {};
  return {exit, text_at(root, "/error/code"), std::string(message), text_at(root, "/error/hint")};
}

Expected<Reply> read_reply(const Expected<AdminReply>& reply, const std::string& socket) {
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->status != 200) return tl::make_unexpected(refused(*reply, socket));
  const auto parsed = Reply::parse(reply->body);
  if (!parsed || count_at(parsed->root(), "/schema") != 1)
    return tl::make_unexpected(not_claimsd(*reply, socket));
  return *parsed;
}

}  // namespace claimsd::claimsctl
