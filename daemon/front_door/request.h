// request.h: reads a request of the HTTP front door, and rejects those that two programs could read
// in two ways. Pure; any thread.
//
// What is required follows from the gate's name alone: never from the rest of the path, the query,
// the host, the method or a forwarded header, because a proxy passes those on from its client.
#pragma once

#include <string_view>

#include "daemon/base/result.h"
#include "daemon/front_door/gate.h"
#include "daemon/http/message.h"

namespace claimsd::front_door {

enum class Resource : std::uint8_t {
  kDocument,  // GET or HEAD /api/me/
  kGate,      // any method, /v1/auth/GATE or below it
};

// A request to be decided. Its views are valid as long as the http::Request.
struct Check {
  Resource resource = Resource::kDocument;
  std::string_view gate;            // its name, not yet looked up; "" for the document
  std::string_view token;           // "": no bearer token was sent
  std::string_view client_address;  // "": not known
  std::string_view trace_id;        // the traceparent header (W3C Trace Context); "": none
  std::string_view method;
};

// The request, or the response that rejects it:
// - 400: two Authorization headers, a control character in a header, a body;
// - 403: over TCP, a Host header that does not name the loopback;
// - 404: another path; 405: another method than GET and HEAD for the document.
// `over_tcp`: the connection has no peer uid.
tl::expected<Check, http::Response> read_request(const http::Request& request,
                                                 const Settings& settings);

}  // namespace claimsd::front_door
