// What the daemon says is what the caller gets.
#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

TEST_CASE("a valid token comes with its claims") {
  const std::string block =
      claims_block("user-1", "a@b.example", {"rvt", "doctor"}, R"({"clinic":7})");
  Host host(always(valid_answer(block), block));
  const Answer answer = host.client.query("token");
  REQUIRE(answer.valid());
  CHECK(answer.verdict() == Verdict::kValid);
  const Claims claims = answer.claims();
  CHECK(claims.id() == "user-1");
  CHECK(claims.email() == "a@b.example");
  CHECK(claims.roles() == std::vector<std::string_view>{"rvt", "doctor"});
  CHECK(claims.has_role("rvt"));
  CHECK_FALSE(claims.has_role("rv"));
  CHECK_FALSE(claims.has_role("rvt2"));
  CHECK_FALSE(claims.has_role(""));
  CHECK(claims.has_any_role({"admin", "doctor"}));
  CHECK_FALSE(claims.has_any_role({"admin", "receptionist"}));
  CHECK_FALSE(claims.has_any_role({}));
  CHECK(claims.json() == R"({"clinic":7})");
  CHECK(answer.source() == Source::kCache);
  CHECK(answer.age() == 1s);
  CHECK(answer.ttl() == 59s);
  CHECK(answer.reason() == "ok");
}

TEST_CASE("the largest claims there are arrive whole") {
  const std::vector<std::string> roles(proto::kMaxRoles,
                                       std::string(proto::kMaxRoleBytes / proto::kMaxRoles, 'r'));
  const std::string raw = '{' + std::string(proto::kMaxRawClaims - 2, ' ') + '}';
  const std::string block =
      claims_block(std::string(proto::kMaxId, 'i'), std::string(proto::kMaxEmail, 'e'), roles, raw);
  Host host(always(valid_answer(block), block));
  const Answer answer = host.client.query("token");
  REQUIRE(answer.valid());
  CHECK(answer.claims().id().size() == proto::kMaxId);
  CHECK(answer.claims().email().size() == proto::kMaxEmail);
  CHECK(answer.claims().roles().size() == proto::kMaxRoles);
  CHECK((answer.claims().json() == raw));
}

TEST_CASE("an answer says whether its claims are truncated") {
  const std::string block = claims_block("user-1", "", {}, R"({"id":"user-1"})");
  for (const bool truncated : {false, true}) {
    proto::Answer given = valid_answer(block);
    given.flags = truncated ? proto::kAnswerTruncated : std::uint16_t{0};
    Host host(always(given, block));
    const Answer answer = host.client.query("token");
    REQUIRE(answer.valid());
    CHECK(answer.claims().truncated() == truncated);
  }
}

TEST_CASE("claims held back for their size read as an empty object") {
  const std::string block = claims_block("user-1", "", {}, "");
  Host host(always(valid_answer(block), block));
  const Answer answer = host.client.query("token");
  REQUIRE(answer.valid());
  CHECK(answer.claims().json() == "{}");
  CHECK(answer.claims().email().empty());
  CHECK(answer.claims().roles().empty());
}

struct ReasonRow {
  proto::Reason reason;
  proto::Verdict verdict;
  const char* name;
};
#define CLAIMSD_REASON_ROW(identifier, code, name, verdict, sentence) \
  ReasonRow{proto::Reason::identifier, proto::Verdict::verdict, name},
const ReasonRow kReasons[] = {CLAIMSD_REASONS(CLAIMSD_REASON_ROW)};

TEST_CASE("every reason arrives with its verdict, its name and a sentence") {
  for (const ReasonRow& row : kReasons) {
    if (row.reason == proto::Reason::kOk) continue;
    INFO(row.name);
    proto::Answer sent = refusal(row.verdict, row.reason);
    sent.retry_after_ms = 2500;
    Host host(always(sent));
    const Answer answer = host.client.query("token");
    CHECK(answer.invalid() == (row.verdict == proto::Verdict::kInvalid));
    CHECK(answer.unavailable() == (row.verdict == proto::Verdict::kUnavailable));
    CHECK(answer.reason() == row.name);
    CHECK(answer.text().size() > 20);
    CHECK(answer.retry_after() == 2500ms);
    CHECK(answer.claims().id().empty());
    CHECK(answer.claims().json() == "{}");
  }
}

TEST_CASE("a reason from a newer daemon keeps its verdict, unless that is valid") {
  const auto newer = static_cast<proto::Reason>(190);
  CHECK(Host(always(refusal(proto::Verdict::kInvalid, newer))).client.query("t").invalid());
  CHECK(Host(always(refusal(proto::Verdict::kUnavailable, newer))).client.query("t").unavailable());
  const std::string block = claims_block("user-1");
  proto::Answer valid = valid_answer(block);
  valid.reason = 190;
  CHECK(Host(always(valid, block)).client.query("t").unavailable());
}

TEST_CASE("a refusal brings no claims, whatever the daemon sends with it") {
  const std::string block = claims_block("user-1");
  Host host(always(refusal(proto::Verdict::kInvalid, proto::Reason::kRejected), block));
  const Answer answer = host.client.query("t");
  CHECK(answer.invalid());
  CHECK(answer.claims().id().empty());
  CHECK_FALSE(answer.claims().has_role("rvt"));
}

TEST_CASE("what the caller says about a question reaches the daemon, cut to what the wire takes") {
  std::string route;
  std::string address;
  std::uint32_t max_age = 1;
  std::uint32_t timeout = 0;
  Host host([&](Peer& peer) {
    if (!peer.welcome()) return;
    const auto frame = peer.receive();
    const auto query = frame->as<proto::Query>();
    route = query->route;
    address = query->client_address;
    max_age = query->max_age_ms;
    timeout = query->timeout_ms;
    peer.send(refusal(proto::Verdict::kInvalid, proto::Reason::kRejected),
              frame->header.request_id);
  });
  const std::string umlauts = std::string(proto::kMaxRoute - 1, 'r') + "\u00e4";
  host.client.query(
      "t", {.timeout = 2s, .max_age = 0ms, .client_address = "192.0.2.7", .route = umlauts});
  host.daemon.stop();
  CHECK(route == std::string(proto::kMaxRoute - 1, 'r'));
  CHECK(address == "192.0.2.7");
  CHECK(max_age == 0);
  // A little less than the caller waits, so that the daemon's own word comes first.
  CHECK(timeout <= 1950);
  CHECK(timeout >= 1000);
}

TEST_CASE("a token too long for a frame is unavailable without asking") {
  Host host;
  const Answer answer = host.client.query(std::string(100'000, 't'));
  CHECK(answer.unavailable());
  CHECK(answer.reason() == "too_long");
  CHECK(host.daemon.connections() == 0);
}

TEST_CASE("whether a token is one is the daemon's to say, and to record") {
  Host host(always(refusal(proto::Verdict::kInvalid, proto::Reason::kMalformed)));
  CHECK(host.client.query("").reason() == "malformed");
  CHECK(host.client.query(std::string(proto::kMaxToken + 1, 't')).reason() == "malformed");
  CHECK(host.daemon.connections() == 1);
}

TEST_CASE("a ping says how long it took") {
  Host host;
  CHECK(host.client.ping().value_or(0ns) > 0ns);
  CHECK(host.client.ping(100ms).value_or(0ns) > 0ns);
  CHECK(host.daemon.connections() == 1);
  host.daemon.stop();
  CHECK_FALSE(host.client.ping(50ms).has_value());
}

TEST_CASE("the verdict alone can be asked for") {
  Host host;
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = "user-1";
  request.token_size = 6;
  CHECK(claimsd_query(host.client.get(), &request, nullptr) == CLAIMSD_VALID);
}

}  // namespace
}  // namespace claimsd::testing
