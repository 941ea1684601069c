#include "client/claimsctl/reply.h"

#include <fmt/core.h>

namespace claimsd::ctl {
namespace {

Problem not_claimsd(const AdminReply& reply, const std::string& socket) {
  return {Exit::kUnavailable, "bad_reply",
          fmt::format("what answers on {} (HTTP {}) does not know this call", socket, reply.status),
          "is it claimsd, and as new as this claimsctl?"};
}

}  // namespace

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

Problem refused(const AdminReply& reply, const std::string& socket) {
  simdjson::dom::parser parser;
  Element root;
  if (parser.parse(reply.body).get(root) != simdjson::SUCCESS ||
      text_at(root, "/error/code").empty())
    return not_claimsd(reply, socket);
  const bool configured = reply.status == 409;
  const bool wrong = reply.status >= 400 && reply.status < 500;
  const Exit exit = configured ? Exit::kConfigured : wrong ? Exit::kUsage : Exit::kUnavailable;
  std::string_view message;
  if (root.at_pointer("/error/message").get(message) != simdjson::SUCCESS) message = {};
  return {exit, text_at(root, "/error/code"), std::string(message), text_at(root, "/error/hint")};
}

Expected<Element> read_reply(const Expected<AdminReply>& reply, const std::string& socket,
                             simdjson::dom::parser& parser) {
  if (!reply) return tl::make_unexpected(reply.error());
  if (reply->status != 200) return tl::make_unexpected(refused(*reply, socket));
  Element root;
  if (parser.parse(reply->body).get(root) != simdjson::SUCCESS || count_at(root, "/schema") != 1)
    return tl::make_unexpected(not_claimsd(*reply, socket));
  return root;
}

}  // namespace claimsd::ctl
