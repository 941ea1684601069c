// http_exchange.h: one request and its response, as libmicrohttpd passes them. Part of the HTTP
// server (http_server.h); loop thread.
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <string_view>

#include "daemon/admin/http_message.h"
#include "daemon/base/result.h"

namespace claimsd::admin {

MHD_Result answer(MHD_Connection* connection, const HttpResponse& with);

// The announced size of the body, or a response that rejects it.
tl::expected<std::size_t, HttpResponse> announced_body(MHD_Connection* connection,
                                                       std::size_t limit);

HttpRequest request_of(MHD_Connection* connection, const char* url, const char* method,
                       std::string_view body);

// For a client to which libmicrohttpd cannot respond. Part of it is lost if the client's window is
// full, which it is not on a new connection. `status`: "414 URI Too Long".
void respond_raw(int fd, const char* status, std::string_view body);

int descriptor_of(MHD_Connection* connection);

}  // namespace claimsd::admin
