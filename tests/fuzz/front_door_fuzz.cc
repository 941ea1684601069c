// The request path of the HTTP socket with arbitrary methods, paths and headers: the request is
// rejected, or what is decided about comes from one Authorization header and from the gate's name
// alone. And the identity headers of arbitrary claims: no byte in them can end a header or an item.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/base/ascii.h"
#include "daemon/front_door/identity.h"
#include "daemon/front_door/request.h"

using namespace claimsd;
using namespace claimsd::front_door;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Cuts `text` at the first `mark`, which is dropped, and returns what was before it.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return head;
}

bool is_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

bool is_control(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

// "METHOD PATH\nNAME:VALUE\n…", as libmicrohttpd passes it.
http::Request request_of(std::string_view text, bool over_tcp) {
  http::Request request;
  if (!over_tcp) request.peer = loop::PeerCredentials{.uid = 33, .gid = 33, .pid = 1};
  std::string_view first = cut(text, '\n');
  request.method = cut(first, ' ');
  request.path = cut(first, ' ');
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    const std::string_view name = cut(line, ':');
    request.headers.emplace_back(name, trimmed(line));
    if (request.host.empty() && equals_ignoring_case(name, "Host")) request.host = trimmed(line);
  }
  return request;
}

void check_request(std::string_view text, bool over_tcp) {
  const http::Request request = request_of(text, over_tcp);
  Settings settings;
  settings.client_address_header = "X-Forwarded-For";
  settings.trusted_uids = {33};
  const auto check = read_request(request, settings);
  if (!check) return require(check.error().status >= 400 && check.error().status < 500);
  std::size_t authorizations = 0;
  for (const auto& [name, value] : request.headers) {
    require(std::none_of(value.begin(), value.end(), is_control));
    if (!equals_ignoring_case(name, "Authorization")) continue;
    ++authorizations;
    require(is_within(check->token, value));
  }
  require(authorizations <= 1 && (authorizations == 1 || check->token.empty()));
  require(is_within(check->gate, request.path) && check->gate.find('/') == std::string_view::npos);
  require((check->resource == Resource::kDocument) == (request.path == "/api/me/"));
  require((check->resource == Resource::kGate) == !check->gate.empty());
  require(!over_tcp || check->client_address.empty());
}

void check_identity(std::string_view text) {
  const std::string encoded = percent_encoded(text);
  for (const char letter : encoded) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') ||
                       std::string_view("-._~@:%").find(letter) != std::string_view::npos;
    require(plain);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_request(text, false);
  check_request(text, true);
  check_identity(text);
  return 0;
}
