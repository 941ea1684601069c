// The golden frames, decoded and encoded byte for byte by the C++ codec. test_golden.py does the
// same with an independent implementation.
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "proto/claims_block.h"
#include "proto/codec.h"
#include "tests/proto/exact_bytes.h"
#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

using testing::ExactBytes;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

std::map<std::string, std::string> read_golden() {
  std::map<std::string, std::string> frames;
  std::ifstream file(CLAIMSD_GOLDEN_FRAMES);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    std::string hex;
    if (words >> name >> hex) frames[name] = from_hex(hex);
  }
  return frames;
}

constexpr std::string_view kToken = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiI0MiJ9.c2lnbmF0dXJl";
constexpr std::string_view kRaw = R"({"id":"user-123","email":"tech@example.com","role":"rvt"})";

// Decodes the frame `name` as a Message, compares it with `expected`, and encodes it again.
class Golden {
 public:
  template <class Message>
  Message expect(const std::string& name, std::uint32_t id, const Message& expected) {
    INFO(name);
    REQUIRE(frames_.count(name) == 1);
    blocks_.emplace(name, ExactBytes(frames_.at(name)));
    const std::string_view frame = blocks_.at(name).view();
    FrameHeader header;
    REQUIRE(frame_status(frame, header) == FrameStatus::kComplete);
    CHECK(header.frame_size() == frame.size());
    CHECK(header.request_id == id);
    CHECK(header.type == static_cast<std::uint16_t>(Message::kType));

    Message decoded;
    REQUIRE(decode(frame.substr(kHeaderSize), decoded));
    std::string again(kMaxFrame, '\0');
    again.resize(encode(expected, id, again.data(), again.size()));
    CHECK((again == frame));
    again.resize(kMaxFrame);
    again.resize(encode(decoded, id, again.data(), again.size()));
    CHECK((again == frame));
    return decoded;
  }

  std::size_t unexpected() const { return frames_.size() - blocks_.size(); }

 private:
  std::map<std::string, std::string> frames_ = read_golden();
  std::map<std::string, ExactBytes> blocks_;
};

void expect_from_client(Golden& golden) {
  golden.expect("hello_bare", 1, Hello{.version_min = 2, .version_max = 2});
  golden.expect("hello_full", 1,
                Hello{.version_min = 2,
                      .version_max = 2,
                      .client_name = "lumen",
                      .upstream_url = "https://auth.example.com"});
  golden.expect("hello_newer", 9, Hello{.version_min = 1, .version_max = 3, .features = 1});
  golden.expect("hello_reports", 1,
                Hello{.version_min = 2,
                      .version_max = 2,
                      .features = kFeatureReports,
                      .client_name = "lumen",
                      .upstream_url = "https://auth.example.com"});
  golden.expect("ping_zero", 2, Ping{});
  golden.expect("ping", 0xfffffffe, Ping{.echo = 0x1122334455667788});
  golden.expect("query_bare", 2, Query{.timeout_ms = 950, .max_age_ms = kAnyAge, .token = kToken});
  golden.expect("query_full", 3,
                Query{.timeout_ms = 950,
                      .max_age_ms = 0,
                      .token = kToken,
                      .client_address = "2001:db8::7",
                      .trace_id = "4bf92f3577b34da6",
                      .route = "GET /worklist"});
  golden.expect("query_counted", 3,
                Query{.timeout_ms = 950,
                      .max_age_ms = 0,
                      .local_hits = 70000,
                      .token = kToken,
                      .client_address = "2001:db8::7",
                      .trace_id = "4bf92f3577b34da6",
                      .route = "GET /worklist"});
}

void expect_from_daemon(Golden& golden) {
  golden.expect("welcome", 1,
                Welcome{.version = 2,
                        .boot_time_ns = 0x0102030405060708,
                        .daemon_version = "0.1.0",
                        .upstream_name = "main"});
  golden.expect("welcome_shared_map", 1,
                Welcome{.version = 2,
                        .features = kFeatureSharedMap,
                        .boot_time_ns = 1,
                        .daemon_version = "0.2.0",
                        .upstream_id = 3});
  golden.expect("welcome_reports", 1,
                Welcome{.version = 2,
                        .features = kFeatureReports,
                        .boot_time_ns = 0x0102030405060708,
                        .daemon_version = "0.1.0",
                        .upstream_name = "main"});
  golden.expect("failure_not_allowed", 0,
                Failure{.code = static_cast<std::uint16_t>(FailureCode::kNotAllowed),
                        .text = sentence_of(FailureCode::kNotAllowed)});
  golden.expect("failure_stopping", 0,
                Failure{.code = static_cast<std::uint16_t>(FailureCode::kStopping)});
  golden.expect("pong_zero", 2, Pong{});
  golden.expect("pong", 0xfffffffe, Pong{.echo = 0x1122334455667788});
}

std::string block_of(std::string_view id, std::string_view email,
                     const std::vector<std::string_view>& roles, std::string_view raw) {
  std::string block(kMaxClaimsBlock, '\0');
  Writer writer(block.data(), block.size());
  REQUIRE(encode_claims(writer, id, email, roles, raw));
  block.resize(writer.size());
  return block;
}

std::uint8_t wire(Verdict verdict) {
  return static_cast<std::uint8_t>(verdict);
}
std::uint8_t wire(Source source) {
  return static_cast<std::uint8_t>(source);
}
std::uint16_t wire(Reason reason) {
  return static_cast<std::uint16_t>(reason);
}

void expect_answers(Golden& golden) {
  const std::string claims = block_of("user-123", "tech@example.com", {"rvt"}, kRaw);
  const Answer valid = golden.expect("answer_valid", 2,
                                     Answer{.verdict = wire(Verdict::kValid),
                                            .source = wire(Source::kCache),
                                            .age_ms = 1500,
                                            .ttl_ms = 58500,
                                            .claims = claims});
  ClaimsView view;
  REQUIRE(decode_claims(valid.claims, view));
  CHECK(view.id == "user-123");
  CHECK(view.raw == kRaw);

  const std::string truncated = block_of("7", "", {"rvt", "doctor"}, "");
  golden.expect("answer_trimmed", 3,
                Answer{.verdict = wire(Verdict::kValid),
                       .source = wire(Source::kStale),
                       .flags = kAnswerTruncated,
                       .age_ms = 61000,
                       .claims = truncated});
  golden.expect("answer_refused", 4,
                Answer{.verdict = wire(Verdict::kInvalid),
                       .source = wire(Source::kUpstream),
                       .reason = wire(Reason::kRejected),
                       .ttl_ms = 5000});
  golden.expect("answer_unavailable", 5,
                Answer{.verdict = wire(Verdict::kUnavailable),
                       .source = wire(Source::kNone),
                       .reason = wire(Reason::kBackoff),
                       .retry_after_ms = 2000});
}

void expect_reports(Golden& golden) {
  golden.expect("report_denied", 4,
                Report{.timeout_ms = 950,
                       .status = 403,
                       .token = kToken,
                       .user = "user-123",
                       .method = "POST",
                       .route = "studies/<int:number>/report/",
                       .required = "HasAnyRole(doctor,admin)",
                       .client_address = "2001:db8::7",
                       .trace_id = "4bf92f3577b34da6"});
  golden.expect("report_late", 5,
                Report{.timeout_ms = 950,
                       .unacknowledged = 3,
                       .status = 401,
                       .reason = wire(Reason::kMalformed)});
  golden.expect("receipt_recorded", 4, Receipt{});
  golden.expect("receipt_refused", 5, Receipt{.reason = wire(Reason::kNotRecorded)});
}

TEST_CASE("every golden frame decodes to the expected message and is encoded again byte for byte") {
  Golden golden;
  expect_from_client(golden);
  expect_from_daemon(golden);
  expect_answers(golden);
  expect_reports(golden);
  CHECK(golden.unexpected() == 0);
}

}  // namespace
}  // namespace claimsd::proto
