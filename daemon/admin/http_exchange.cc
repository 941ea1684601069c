#include "daemon/admin/http_exchange.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <charconv>
#include <memory>
#include <system_error>

#include "daemon/admin/routes.h"
#include "daemon/loop/unix_socket.h"

namespace claimsd::admin {
namespace {

struct ResponseRelease {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using Response = std::unique_ptr<MHD_Response, ResponseRelease>;

Response make_response(const HttpResponse& from) {
  // MHD copies the text and only reads it. Its parameter is non-const for modes that take
  // ownership.
  Response response(MHD_create_response_from_buffer(
      from.body.size(), const_cast<char*>(from.body.data()), MHD_RESPMEM_MUST_COPY));
  if (!response) return response;
  MHD_add_response_header(response.get(), "Content-Type", from.content_type.c_str());
  MHD_add_response_header(response.get(), "Cache-Control", "no-store");
  MHD_add_response_header(response.get(), "Connection", "close");
  if (!from.allow.empty()) MHD_add_response_header(response.get(), "Allow", from.allow.c_str());
  return response;
}

const char* header(MHD_Connection* connection, const char* name) {
  return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

std::optional<loop::PeerCredentials> peer_of(MHD_Connection* connection) {
  const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info == nullptr) return std::nullopt;
  const auto peer = loop::peer_credentials(info->connect_fd);
  // A TCP connection has no credentials; the kernel then returns uid -1.
  if (!peer || peer->uid == static_cast<uid_t>(-1)) return std::nullopt;
  return *peer;
}

MHD_Result keep_parameter(void* request, MHD_ValueKind, const char* key, const char* value) {
  static_cast<HttpRequest*>(request)->parameters.emplace_back(key, value == nullptr ? "" : value);
  return MHD_YES;
}

}  // namespace

MHD_Result answer(MHD_Connection* connection, const HttpResponse& with) {
  const Response response = make_response(with);
  return response ? MHD_queue_response(connection, with.status, response.get()) : MHD_NO;
}

tl::expected<std::size_t, HttpResponse> announced_body(MHD_Connection* connection,
                                                       std::size_t limit) {
  if (header(connection, "Transfer-Encoding") != nullptr) {
    return tl::make_unexpected(error_response(411, "length_required",
                                              "the request has a body but no Content-Length",
                                              "send a Content-Length instead of chunks"));
  }
  const char* const length = header(connection, "Content-Length");
  if (length == nullptr) return 0;
  const std::string_view text(length);
  std::size_t size = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), size);
  if (parsed.ec == std::errc{} && size <= limit) return size;
  return tl::make_unexpected(error_response(413, "too_large",
                                            fmt::format("the body is longer than {} bytes", limit),
                                            "send a shorter body"));
}

HttpRequest request_of(MHD_Connection* connection, const char* url, const char* method,
                       std::string_view body) {
  HttpRequest request{.method = method, .path = url, .body = body, .peer = peer_of(connection)};
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &keep_parameter, &request);
  if (const char* const host = header(connection, "Host")) request.host = host;
  return request;
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

}  // namespace claimsd::admin
