// Orders over HTTP: parsing, responses, and no secret in a response.
#include <map>

#include "daemon/admin/routes.h"
#include "daemon/claims/revocation/action_parser.h"
#include "daemon/http/deferred_response.h"
#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"
#include "tests/support/memory_scan.h"

namespace claimsd::admin {
namespace {

struct Given {
  std::vector<claims::AdminAction> orders;
  std::vector<std::string> who;
  std::vector<claims::ActionId> withdrawn;
  claims::ActionResult result{.durable = true, .until = WallTime(seconds(1'767'225'600))};
  std::vector<claims::ActionDone> waiting;  // the callbacks to call later, if `later` is set
  bool later = false;

  ActionTaker taker() {
    return [this](const claims::AdminAction& action, const claims::ActionDone& done) {
      orders.push_back(action);
      who.emplace_back(action.who);
      if (later) {
        waiting.push_back(done);
      } else {
        done(result);
      }
    };
  }
  http::Response post(std::string_view path, std::string_view body) {
    AdminServices services;
    services.purge = taker();
    services.revoke = taker();
    services.unrevoke = [this](const claims::ActionId& id, auto, const claims::ActionDone& done) {
      withdrawn.push_back(id);
      done(result);
    };
    services.upstream_named = [](std::string_view name) -> std::optional<claims::UpstreamId> {
      return name == "second" ? std::optional<claims::UpstreamId>(1) : std::nullopt;
    };
    return dispatch(services, {.method = "POST", .path = path, .body = body});
  }
};

TEST_CASE("an order is parsed as sent") {
  Given given;
  CHECK(given.post("/v1/revoke", R"({"token":"abc","for_seconds":60})").status == 200);
  CHECK(given.orders.back().subject == claims::Subject::kToken);
  CHECK(given.who.back() == "abc");
  CHECK(given.orders.back().length == seconds(60));
  CHECK(given.post("/v1/revoke", R"({"user":"7","lock":true,"upstream":"second"})").status == 200);
  CHECK(given.orders.back().subject == claims::Subject::kUser);
  CHECK(given.orders.back().lock);
  CHECK(given.orders.back().upstream == claims::UpstreamId{1});
  CHECK(given.post("/v1/purge", R"({"all_users":true})").status == 200);
  CHECK(given.orders.back().subject == claims::Subject::kAllUsers);
}

TEST_CASE("an order that is only partly valid is not carried out") {
  const std::string_view bad[] = {"",
                                  "{",
                                  "[]",
                                  "{}",
                                  R"({"token":"a","user":"b"})",
                                  R"({"token":7})",
                                  R"({"all_users":false})",
                                  R"({"user":"a","colour":"red"})",
                                  R"({"token":"a","lock":true})",
                                  R"({"user":"a","for_seconds":0})",
                                  R"({"user":"a","for_seconds":1.5})",
                                  R"({"user":"a","for_seconds":99999999999})",
                                  R"({"all_users":true,"upstream":"second"})",
                                  R"({"user":"a","upstream":"third"})",
                                  R"({"token":"a"}{"token":"b"})",
                                  R"({"user":"a","user":"b"})"};
  Given given;
  for (const std::string_view body : bad) {
    CAPTURE(body);
    CHECK(given.post("/v1/revoke", body).status == 400);
  }
  CHECK(given.post("/v1/purge", R"({"user":"a","lock":true})").status == 400);
  CHECK(given.orders.empty());
}

TEST_CASE("a failed order returns the reason, but never its subject") {
  Given given;
  given.result = {.outcome = claims::ActionOutcome::kFull, .until = {}};
  CHECK(given.post("/v1/revoke", R"({"token":"SECRET"})").status == 507);
  given.result = {.outcome = claims::ActionOutcome::kNoToken, .until = {}};
  CHECK(given.post("/v1/revoke", R"({"token":"SECRET"})").status == 400);
  given.result = {.durable = false, .until = {}};
  const http::Response response = given.post("/v1/revoke", R"({"user":"SECRET"})");
  CHECK(response.status == 202);
  CHECK(response.body.find(R"("durable":false)") != std::string::npos);
  CHECK(response.body.find("SECRET") == std::string::npos);
  given.result = {.durable = true, .recorded = false, .until = {}};
  CHECK(given.post("/v1/purge", R"({"user":"SECRET"})").status == 202);
}

TEST_CASE("a withdrawal names one action by its id, and fails with the reason") {
  Given given;
  const std::string body = R"({"id":"00112233445566778899aabbccddeeff"})";
  CHECK(given.post("/v1/unrevoke", body).status == 200);
  REQUIRE(given.withdrawn.size() == 1);
  CHECK(claims::text_of(given.withdrawn[0]) == "00112233445566778899aabbccddeeff");
  for (const std::string_view bad : {"", "{}", "[]", R"({"id":7})", R"({"id":"0011"})",
                                     R"({"id":"00112233445566778899aabbccddeeff","user":"a"})"})
    CHECK(given.post("/v1/unrevoke", bad).status == 400);
  given.result.outcome = claims::ActionOutcome::kUnknownAction;
  CHECK(given.post("/v1/unrevoke", body).status == 404);
  given.result.outcome = claims::ActionOutcome::kWithdrawnEarlier;
  CHECK(given.post("/v1/unrevoke", body).status == 410);
  given.result.outcome = claims::ActionOutcome::kNotWithdrawable;
  CHECK(given.post("/v1/unrevoke", body).status == 400);
}

TEST_CASE("the list of revocations is paged and rejects a bad page") {
  AdminServices services;
  services.list_actions = [](const auto& after, std::size_t most, const auto& visit) {
    claims::ActionDescription action{.kind = claims::RuleKind::kLock};
    action.id.bytes[0] = after ? 2 : 1;
    visit(action);
    return after || most != 1 ? std::nullopt : std::optional(action.id);
  };
  const auto get = [&](std::map<std::string, std::string> parameters) {
    http::Request request{.method = "GET", .path = "/v1/revocations"};
    request.parameters.assign(parameters.begin(), parameters.end());
    return dispatch(services, request);
  };
  const std::string first = "01000000000000000000000000000000";
  const http::Response page = get({{"limit", "1"}});
  CHECK(page.status == 200);
  CHECK(page.body.find(R"("kind":"lock")") != std::string::npos);
  CHECK(page.body.find(R"("actor_uid":null)") != std::string::npos);
  CHECK(page.body.find(R"("next":")" + first) != std::string::npos);
  CHECK(get({{"after", first}}).body.find(R"("next":null)") != std::string::npos);
  CHECK(get({{"after", "x"}}).status == 400);
  CHECK(get({{"limit", "501"}}).status == 400);
}

TEST_CASE("a deferred response is sent when it is ready") {
  const ScratchDirectory dir;
  Given given;
  given.later = true;
  std::promise<void> ordered;
  const LoopThread server(serve(dir / "s", [&](const http::Request& request) -> http::Response {
    if (request.method == "POST") {
      const http::Response response = given.post(request.path, request.body);
      ordered.set_value();
      return response;
    }
    for (const claims::ActionDone& done : std::exchange(given.waiting, {})) done(given.result);
    return {};
  }));
  TestClient waiting(dir / "s");
  waiting.send(
      "POST /v1/revoke HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n{\"token\":\"abc\"}");
  ordered.get_future().get();
  CHECK(status_of(get(dir / "s", "/")) == 200);  // others are served in the meantime
  const std::string response = waiting.response();
  CHECK(status_of(response) == 200);
  CHECK(body_of(response).find("2026-01-01T00:00:00Z") != std::string::npos);
}

TEST_CASE("a server destroyed with deferred responses pending ends cleanly") {
  const ScratchDirectory dir;
  auto later = std::make_shared<http::DeferredResponse>();
  {
    std::promise<void> asked;
    const LoopThread server(serve(dir / "s", [&](const http::Request&) {
      http::Response response;
      response.later = later;
      asked.set_value();
      return response;
    }));
    TestClient client(dir / "s");
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    asked.get_future().get();
  }
  later->fulfil({});
}

TEST_CASE("an order leaves no copy of its token behind") {
  std::string secret;  // masked in the source, as in wipe_test.cc
  for (int i = 0; i < 300; ++i) secret += static_cast<char>(('A' + (i * 11 + i / 26) % 26) ^ kMask);
  std::vector<char> body(400, ' ');
  constexpr std::string_view kBefore = R"({"token":")";
  std::copy(kBefore.begin(), kBefore.end(), body.begin());
  for (std::size_t i = 0; i < secret.size(); ++i)
    body[kBefore.size() + i] = static_cast<char>(secret[i] ^ kMask);
  body[kBefore.size() + secret.size()] = '"';
  body[kBefore.size() + secret.size() + 1] = '}';
  const std::string part = secret.substr(100, 100);
  {
    const auto parsed =
        claims::parse_action({body.data(), body.size()}, claims::ActionKind::kRevoke);
    REQUIRE(parsed);
    CHECK(parsed->who.view().size() == secret.size());
    explicit_bzero(body.data(), body.size());
    CHECK(count_in_memory(part) == 1);  // the order's own copy
  }
  CHECK(count_in_memory(part) == 0);
}

}  // namespace
}  // namespace claimsd::admin
