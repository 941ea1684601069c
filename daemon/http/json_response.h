// json_response.h: responses with a JSON body, and the common format of errors:
// {"error":{"code":...,"message":...,"hint":...}}. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/message.h"

namespace claimsd::http {

Response json_response(unsigned status, std::string body);

// `code` is a stable name for programs; `message` says what was wrong, `hint` what to do.
Response error_response(unsigned status, std::string_view code, std::string_view message,
                        std::string_view hint);

// 403 for a request over TCP whose Host header does not name the loopback (loopback_host.h).
Response wrong_host_response();

}  // namespace claimsd::http
