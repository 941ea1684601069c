#include "daemon/upstream/response.h"

#include "tests/support/catch.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

constexpr std::size_t kMaxBody = 100;

// Adds header lines until one is rejected.
bool feed(Response& response, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (!response.add_header(line + "\r\n")) return false;
  }
  return true;
}

claims::FetchOutcome taken(Response& response) {
  claims::FetchOutcome outcome;
  response.take(outcome);
  return outcome;
}

TEST_CASE("header names are case-insensitive, values are trimmed, repeated fields are joined") {
  Response response(kMaxBody);
  REQUIRE(feed(response, {"HTTP/1.1 200 OK", "CACHE-CONTROL: \t max-age=5 ",
                          "cache-control:no-store", "Age : 3", ""}));
  const claims::FetchOutcome outcome = taken(response);
  CHECK(outcome.failure == Reason::kOk);
  CHECK(outcome.status == 200);
  CHECK(outcome.cache_control == "max-age=5, no-store");
  CHECK(outcome.age == "3");
}

TEST_CASE("headers of an interim response do not apply to the final one") {
  Response response(kMaxBody);
  REQUIRE(feed(response, {"HTTP/1.1 103 Early Hints", "Cache-Control: max-age=300", "Age: 0",
                          "Content-Encoding: gzip", "", "HTTP/1.1 200 OK", ""}));
  const claims::FetchOutcome outcome = taken(response);
  CHECK(outcome.failure == Reason::kOk);
  CHECK(outcome.cache_control.empty());
  CHECK(outcome.age.empty());
}

TEST_CASE("trailers are ignored") {
  Response response(kMaxBody);
  REQUIRE(feed(response, {"HTTP/1.1 200 OK", ""}));
  REQUIRE(response.add_body("{}"));
  REQUIRE(feed(response, {"Cache-Control: max-age=300", "HTTP/1.1 401 No"}));
  const claims::FetchOutcome outcome = taken(response);
  CHECK(outcome.cache_control.empty());
  CHECK(outcome.status == 200);
}

TEST_CASE("a list too long to pass on counts as no-store") {
  const std::string long_list(kMaxUpstreamHeaderValue, 'x');
  Response response(kMaxBody);
  SECTION("Cache-Control") {
    REQUIRE(feed(response, {"HTTP/1.1 200 OK", "Cache-Control: max-age=60",
                            "Cache-Control: " + long_list, ""}));
  }
  SECTION("Age") {
    REQUIRE(
        feed(response, {"HTTP/1.1 200 OK", "Cache-Control: max-age=60", "Age: 1" + long_list, ""}));
  }
  CHECK(taken(response).cache_control == "no-store");
}

TEST_CASE("a folded header is rejected, because part of it would be missed") {
  Response response(kMaxBody);
  CHECK_FALSE(feed(response, {"HTTP/1.1 200 OK", "Cache-Control: max-age=60,", " no-store", ""}));
  CHECK(response.failure() == Reason::kUpstreamProtocol);
}

TEST_CASE("a 200 with a Content-Encoding is rejected, a 401 with one still counts") {
  Response response(kMaxBody);
  const std::string encoding = GENERATE("gzip", "GZIP", "br", "identity, gzip", "x");
  CHECK_FALSE(feed(response, {"HTTP/1.1 200 OK", "Content-Encoding: " + encoding, ""}));
  CHECK(response.failure() == Reason::kUpstreamBody);
  response.clear();
  REQUIRE(feed(response, {"HTTP/1.1 401 Unauthorized", "Content-Encoding: " + encoding, ""}));
  CHECK(taken(response).status == 401);
  response.clear();
  CHECK(feed(response, {"HTTP/1.1 200 OK", "Content-Encoding: Identity", ""}));
}

TEST_CASE("a compressed transfer encoding is rejected before curl decompresses it") {
  Response response(kMaxBody);
  CHECK_FALSE(feed(response, {"HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"}));
  CHECK(response.failure() == Reason::kUpstreamProtocol);
  response.clear();
  CHECK(feed(response, {"HTTP/1.1 200 OK", "Transfer-Encoding: Chunked", ""}));
}

TEST_CASE("body bytes are counted exactly as they arrive") {
  Response response(kMaxBody);
  REQUIRE(feed(response, {"HTTP/1.1 200 OK", ""}));
  for (std::size_t i = 0; i < kMaxBody; ++i) REQUIRE(response.add_body("x"));
  CHECK(response.failure() == Reason::kOk);
  CHECK_FALSE(response.add_body("x"));
  const claims::FetchOutcome outcome = taken(response);
  CHECK(outcome.failure == Reason::kUpstreamTooLarge);
  CHECK(outcome.body.empty());
}

TEST_CASE("header bytes are counted over all messages and trailers") {
  Response response(kMaxBody);
  std::size_t sent = 0;
  const std::string line = "X: " + std::string(995, 'x');
  bool goes_on = true;
  while (goes_on && sent < 10 * kMaxUpstreamHeaders) {
    goes_on = feed(response, {"HTTP/1.1 103 Early Hints", line, ""});
    sent += line.size();
  }
  CHECK_FALSE(goes_on);
  CHECK(sent <= kMaxUpstreamHeaders);
  CHECK(response.failure() == Reason::kUpstreamProtocol);
}

TEST_CASE("one response leaves nothing behind for the next") {
  Response response(kMaxBody);
  REQUIRE(feed(response, {"HTTP/1.1 200 OK", "Cache-Control: max-age=60", "Age: 1", ""}));
  REQUIRE(response.add_body("claims of user-1"));
  response.clear();
  REQUIRE(feed(response, {"HTTP/1.1 503 No", ""}));
  const claims::FetchOutcome outcome = taken(response);
  CHECK(outcome.status == 503);
  CHECK(outcome.body.empty());
  CHECK(outcome.cache_control.empty());
  CHECK(outcome.age.empty());
}

TEST_CASE("a response that ends within its headers is a failure") {
  Response response(kMaxBody);
  SECTION("nothing received") {}
  SECTION("no blank line") {
    REQUIRE(feed(response, {"HTTP/1.1 200 OK", "Cache-Control: max-age=60"}));
  }
  SECTION("only an interim response") {
    REQUIRE(feed(response, {"HTTP/1.1 100 Continue", ""}));
  }
  CHECK(taken(response).failure == Reason::kUpstreamProtocol);
}

TEST_CASE("unusual but valid lines are accepted") {
  Response response(kMaxBody);
  CHECK(feed(response, {"HTTP/", "HTTP/1.1", "HTTP/1.1 99999999999999999999", "no colon", ":",
                        ": x", "HTTP/2 200", ""}));
  CHECK(response.status() == 200);
}

}  // namespace
}  // namespace claimsd::upstream
