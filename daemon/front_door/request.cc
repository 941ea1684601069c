#include "daemon/front_door/request.h"

#include "daemon/base/ascii.h"
#include "daemon/http/json_response.h"
#include "daemon/http/loopback_host.h"
#include "proto/limits.h"

namespace claimsd::front_door {
namespace {

constexpr std::string_view kDocumentPath = "/api/me/";
constexpr std::string_view kGatePrefix = "/v1/auth/";

// A tab separates words in a header's value; no other control character has a meaning there.
bool has_forbidden(std::string_view text) {
  unsigned found = 0;  // looks at each byte: the compiler then takes many at a time
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    found |=
        static_cast<unsigned>((byte < 0x20) & (byte != '\t')) | static_cast<unsigned>(byte == 0x7f);
  }
  return found != 0;
}

http::Response rejected(unsigned status, std::string_view code, std::string_view message,
                        std::string_view hint) {
  http::Response response = http::error_response(status, code, message, hint);
  response.close = true;
  return response;
}

// The credentials of the Bearer scheme (RFC 6750, section 2.1); "": another scheme, or none.
std::string_view bearer(std::string_view authorization) {
  const auto space = authorization.find(' ');
  if (space == std::string_view::npos ||
      !equals_ignoring_case(authorization.substr(0, space), "Bearer"))
    return {};
  return trimmed(authorization.substr(space));
}

// The address that the nearest proxy added.
std::string_view last_item(std::string_view list) {
  const auto comma = list.rfind(',');
  const std::string_view item =
      trimmed(comma == std::string_view::npos ? list : list.substr(comma + 1));
  return item.size() <= proto::kMaxAddress ? item : std::string_view();
}

bool is_trusted(const http::Request& request, const Settings& settings) {
  return request.peer && !settings.client_address_header.empty() &&
         std::find(settings.trusted_uids.begin(), settings.trusted_uids.end(), request.peer->uid) !=
             settings.trusted_uids.end();
}

// False for a path that is no resource.
bool read_path(std::string_view path, Check& check) {
  if (path == kDocumentPath) {
    check.resource = Resource::kDocument;
    return true;
  }
  if (path.substr(0, kGatePrefix.size()) != kGatePrefix) return false;
  const std::string_view rest = path.substr(kGatePrefix.size());
  check.resource = Resource::kGate;
  check.gate = rest.substr(0, rest.find('/'));
  return !check.gate.empty();
}

}  // namespace

tl::expected<Check, http::Response> read_request(const http::Request& request,
                                                 const Settings& settings) {
  if (!request.peer && !http::names_loopback(request.host)) {
    http::Response response = http::wrong_host_response();
    response.close = true;
    return tl::make_unexpected(std::move(response));
  }
  Check check{.method = request.method};
  bool authorized = false;
  const bool trusted = is_trusted(request, settings);
  for (const auto& [name, value] : request.headers) {
    if (has_forbidden(name) || has_forbidden(value)) {
      return tl::make_unexpected(rejected(400, "control_character",
                                          "a header contains a control character",
                                          "send printable characters only"));
    }
    if (equals_ignoring_case(name, "Authorization")) {
      if (std::exchange(authorized, true)) {
        return tl::make_unexpected(rejected(
            400, "two_authorizations", "the request has two Authorization headers", "send one"));
      }
      check.token = bearer(value);
    } else if (equals_ignoring_case(name, "traceparent")) {
      check.trace_id = value;
    } else if (trusted && equals_ignoring_case(name, settings.client_address_header)) {
      check.client_address = last_item(value);
    }
  }
  if (!read_path(request.path, check)) {
    return tl::make_unexpected(http::error_response(404, "not_found", "there is no such path",
                                                    "use /api/me/ or /v1/auth/GATE"));
  }
  if (check.resource == Resource::kDocument && request.method != "GET" &&
      request.method != "HEAD") {
    http::Response response = http::error_response(405, "method_not_allowed",
                                                   "this path takes GET and HEAD", "send a GET");
    response.allow = "GET, HEAD";
    return tl::make_unexpected(std::move(response));
  }
  return check;
}

}  // namespace claimsd::front_door
