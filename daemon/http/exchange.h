// exchange.h: one request and its response, as libmicrohttpd passes them. Part of the HTTP servers
// (server.h, daemon/admin/http_server.h), which alone include it; the server's loop.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <string_view>

#include "daemon/base/result.h"
#include "daemon/http/message.h"

namespace claimsd::http {

// `keep_alive`: the connection stays open afterwards, unless the response closes it.
MHD_Result respond(MHD_Connection* connection, const Response& with, bool keep_alive);

// The announced size of the body, or a response that rejects it. `limit` 0: no body is allowed.
tl::expected<std::size_t, Response> announced_body(MHD_Connection* connection, std::size_t limit);

Request request_of(MHD_Connection* connection, const char* url, const char* method,
                   std::string_view body, std::optional<loop::PeerCredentials> peer);

// The peer of a Unix socket connection; none for TCP.
std::optional<loop::PeerCredentials> peer_of(int fd);

// For a client to which libmicrohttpd cannot respond. Part of it is lost if the client's window is
// full, which it is not on a new connection. `status`: "414 URI Too Long".
void respond_raw(int fd, const char* status, std::string_view body);

int descriptor_of(MHD_Connection* connection);

}  // namespace claimsd::http
