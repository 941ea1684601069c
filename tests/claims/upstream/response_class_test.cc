#include "daemon/claims/upstream/response_class.h"

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace std::chrono_literals;
using proto::Reason;
using testing::status;

namespace {

const UpstreamPolicy kMain{.name = "main"};

Judgement judged(const FetchOutcome& outcome, const UpstreamPolicy& policy) {
  JsonBuffers buffers;
  const JwtTimes times;
  return judge(outcome, policy, {"token", times}, buffers);
}

}  // namespace

TEST_CASE("a 200 with a claims document confirms the token") {
  const Judgement judgement = judged(status(200), kMain);
  CHECK(judgement.reason == Reason::kOk);
  CHECK_FALSE(judgement.claims.block.empty());
}

TEST_CASE("by default only 401 rejects, and only 200 confirms") {
  for (int code = 100; code < 600; ++code) {
    const Reason expected = code == 200   ? Reason::kOk
                            : code == 401 ? Reason::kRejected
                                          : Reason::kUpstreamStatus;
    INFO("status " << code);
    CHECK(judged(status(code), kMain).reason == expected);
  }
  CHECK(judged(status(0), kMain).reason == Reason::kUpstreamStatus);
}

TEST_CASE("exactly the configured rejection statuses reject") {
  UpstreamPolicy policy = kMain;
  policy.rejection_statuses = {403, 404};
  CHECK(judged(status(403), policy).reason == Reason::kRejected);
  CHECK(judged(status(404), policy).reason == Reason::kRejected);
  CHECK(judged(status(401), policy).reason == Reason::kUpstreamStatus);
}

TEST_CASE("a 200 without a valid claims document gives no verdict") {
  for (const char* const body : {"", "<html>", "[]", "{}", "{\"id\":1.5}", "{\"id\":\"a\"}x"}) {
    INFO(body);
    CHECK(judged(status(200, body), kMain).reason == Reason::kUpstreamBody);
  }
}

TEST_CASE("a failed request gives its failure, whatever status was received") {
  for (const Reason reason :
       {Reason::kUpstreamTimeout, Reason::kUpstreamConnect, Reason::kUpstreamTls,
        Reason::kUpstreamTooLarge, Reason::kUpstreamProtocol}) {
    for (const int code : {0, 200, 401}) {
      FetchOutcome outcome = status(code);
      outcome.failure = reason;
      CHECK(judged(outcome, kMain).reason == reason);
    }
  }
}

TEST_CASE("Retry-After is returned, and is zero if absent or malformed") {
  FetchOutcome outcome = status(503);
  CHECK(judged(outcome, kMain).retry_after.wait == 0s);
  outcome.retry_after = 7s;
  CHECK(judged(outcome, kMain).retry_after.wait == 7s);
}

TEST_CASE("the detail for the log names the status or the rule, never response data") {
  CHECK(judged(status(503, "secret-body"), kMain).detail == "status 503");
  const std::string detail = judged(status(200, R"({"id":["secret@example.com"]})"), kMain).detail;
  CHECK(detail.find("\"id\"") != std::string::npos);
  CHECK(detail.find("secret") == std::string::npos);
}
