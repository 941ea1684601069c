#include "daemon/http/json_response.h"

#include "daemon/base/json_writer.h"

namespace claimsd::http {
namespace {

constexpr int kErrorSchema = 1;

std::string error_json(std::string_view code, std::string_view message, std::string_view hint) {
  JsonWriter json;
  json.begin_object().member("schema", kErrorSchema).key("error").begin_object();
  json.member("code", code).member("message", message).member("hint", hint);
  return json.end_object().end_object().take();
}

}  // namespace

Response json_response(unsigned status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body) + "\n";
  return response;
}

Response error_response(unsigned status, std::string_view code, std::string_view message,
                        std::string_view hint) {
  return json_response(status, error_json(code, message, hint));
}

Response wrong_host_response() {
  return error_response(403, "wrong_host", "the Host header must name the loopback",
                        "use http://localhost or http://127.0.0.1 with the port");
}

}  // namespace claimsd::http
