#include "daemon/http/exchange.h"

#include <fmt/core.h>

#include <memory>
#include <system_error>

#include "daemon/base/parse_integer.h"
#include "daemon/http/json_response.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::http {
namespace {

struct ResponseRelease {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using OwnedResponse = std::unique_ptr<MHD_Response, ResponseRelease>;

OwnedResponse make_response(const Response& from, bool keep_alive) {
  // MHD copies the text and only reads it. Its parameter is non-const for modes that take
  // ownership.
  OwnedResponse response(MHD_create_response_from_buffer(
      from.body.size(), const_cast<char*>(from.body.data()), MHD_RESPMEM_MUST_COPY));
  if (!response) return response;
  const auto add = [&](const char* name, const std::string& value) {
    MHD_add_response_header(response.get(), name, value.c_str());
  };
  if (!from.body.empty()) add("Content-Type", from.content_type);
  add("Cache-Control", "no-store");
  if (!keep_alive || from.close) add("Connection", "close");
  if (!from.allow.empty()) add("Allow", from.allow);
  for (const auto& [name, value] : from.headers) add(name.c_str(), value);
  return response;
}

MHD_Result keep_field(void* fields, MHD_ValueKind, const char* name, std::size_t name_size,
                      const char* value, std::size_t value_size) {
  static_cast<std::vector<Field>*>(fields)->emplace_back(
      std::string_view(name, name_size),
      std::string_view(value == nullptr ? "" : value, value_size));
  return MHD_YES;
}

const char* header(MHD_Connection* connection, const char* name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

}  // namespace

MHD_Result respond(MHD_Connection* connection, const Response& with, bool keep_alive) {
  const OwnedResponse response = make_response(with, keep_alive);
  return response ? MHD_queue_response(connection, with.status, response.get()) : MHD_NO;
}

tl::expected<std::size_t, Response> announced_body(MHD_Connection* connection, std::size_t limit) {
  const char* const length = header(connection, "Content-Length");
  const bool chunked = header(connection, "Transfer-Encoding") != nullptr;
  const std::size_t size =
      length == nullptr ? 0 : parse_integer<std::size_t>(length).value_or(limit + 1);
  if (limit == 0 && (chunked || size > 0)) {
    return tl::make_unexpected(
        error_response(400, "body_not_allowed", "the request has a body", "send it without one"));
  }
  if (chunked) {
    return tl::make_unexpected(error_response(411, "length_required",
                                              "the request has a body but no Content-Length",
                                              "send a Content-Length instead of chunks"));
  }
  if (size <= limit) return size;
  return tl::make_unexpected(error_response(413, "too_large",
                                            fmt::format("the body is longer than {} bytes", limit),
                                            "send a shorter body"));
}

Request request_of(MHD_Connection* connection, const char* url, const char* method,
                   std::string_view body, std::optional<loop::PeerCredentials> peer) {
  Request request{.method = method, .path = url, .body = body, .peer = std::move(peer)};
  MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, &keep_field, &request.parameters);
  request.headers.reserve(16);
  MHD_get_connection_values_n(connection, MHD_HEADER_KIND, &keep_field, &request.headers);
  if (const char* const host = header(connection, "Host")) request.host = host;
  return request;
}

std::optional<loop::PeerCredentials> peer_of(int fd) {
  auto peer = loop::peer_credentials(fd);
  // A TCP connection has no credentials; the kernel then returns uid -1.
  if (!peer || peer->uid == static_cast<uid_t>(-1)) return std::nullopt;
  return std::move(*peer);
}

void respond_raw(int fd, const char* status, std::string_view body) {
  loop::send_once(
      fd, fmt::format("HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
                      "Connection: close\r\n\r\n{}",
                      status, body.size(), body));
}

int descriptor_of(MHD_Connection* connection) {
  const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

}  // namespace claimsd::http
