// The response for each decision.
#include "daemon/front_door/decision.h"

#include "tests/support/catch.h"

namespace claimsd::front_door {
namespace {

using Kind = Decision::Kind;

std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "(absent)";
}

Decision answered(proto::Reason reason, Duration retry_after = {}) {
  Decision decision;
  decision.reason = reason;
  decision.retry_after = retry_after;
  return decision;
}

Decision valid(Resource resource) {
  Decision decision = answered(proto::Reason::kOk);
  decision.resource = resource;
  const std::vector<std::string_view> roles{"doctor"};
  const std::string_view document = R"({"id": 7,  "role": "doctor"})";
  std::string block(proto::claims_block_size("7", "t@example.com", roles, document), '\0');
  proto::Writer writer(block.data(), block.size());
  REQUIRE(proto::encode_claims(writer, "7", "t@example.com", roles, document));
  decision.claims = Secret(block);
  return decision;
}

TEST_CASE("a valid token gets the document as it is, or the identity headers") {
  const http::Response document = response_of(valid(Resource::kDocument), "api");
  CHECK(document.status == 200);
  CHECK(document.body == R"({"id": 7,  "role": "doctor"})");
  CHECK(document.content_type == "application/json");
  const http::Response gate = response_of(valid(Resource::kGate), "api");
  CHECK(gate.status == 200);
  CHECK(gate.body.empty());
  CHECK(header(gate, "X-Claims-Roles") == "doctor");
}

TEST_CASE("every reason of the vocabulary gets the status of its verdict"){
#define CLAIMSD_CHECK_REASON(identifier, code, name, verdict, sentence)                            \
  {                                                                                                \
    const Decision decision = answered(proto::Reason::identifier);                                 \
    CAPTURE(name);                                                                                 \
    switch (proto::verdict_of(decision.reason)) {                                                  \
      case proto::Verdict::kValid: CHECK(status_of(decision) == 200); break;                       \
      case proto::Verdict::kInvalid: CHECK(response_of(decision, "api").status == 401); break;     \
      case proto::Verdict::kUnavailable: CHECK(response_of(decision, "api").status == 503); break; \
    }                                                                                              \
  }
    CLAIMSD_REASONS(CLAIMSD_CHECK_REASON)
#undef CLAIMSD_CHECK_REASON
}

TEST_CASE("401 says with which scheme to authenticate, and whether a token was wrong") {
  CHECK(header(response_of(answered(proto::Reason::kExpired), "clinic"), "WWW-Authenticate") ==
        R"(Bearer realm="clinic", error="invalid_token")");
  Decision none;
  none.kind = Kind::kNoToken;
  CHECK(header(response_of(none, "clinic"), "WWW-Authenticate") == R"(Bearer realm="clinic")");
}

TEST_CASE("503 always says when to try again, in whole seconds rounded up") {
  CHECK(header(response_of(answered(proto::Reason::kBackoff, milliseconds(2100)), "api"),
               "Retry-After") == "3");
  CHECK(header(response_of(answered(proto::Reason::kDeadline), "api"), "Retry-After") == "1");
}

TEST_CASE("only a valid token gets identity headers or a body with claims") {
  for (const Kind kind : {Kind::kNoToken, Kind::kDenied, Kind::kUnknownGate, Kind::kNotPermitted,
                          Kind::kNoDocument}) {
    Decision decision = valid(Resource::kGate);
    decision.kind = kind;
    const http::Response response = response_of(decision, "api");
    CHECK(response.status >= 400);
    CHECK(header(response, "X-Claims-Id") == "(absent)");
    CHECK(response.body.find("example.com") == std::string::npos);
  }
}

TEST_CASE("claims that cannot be read are never an allow") {
  Decision decision = answered(proto::Reason::kOk);
  decision.claims = Secret(std::string_view("nonsense"));
  CHECK(response_of(decision, "api").status == 503);
}

}  // namespace
}  // namespace claimsd::front_door
