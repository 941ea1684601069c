#include "proto/fleet_messages.h"

#include <fstream>
#include <map>
#include <sstream>

#include "tests/proto/exact_bytes.h"
#include "tests/support/catch.h"

namespace claimsd::proto {
namespace {

using testing::ExactBytes;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2)
    bytes.push_back(static_cast<char>(std::stoul(hex.substr(at, 2), nullptr, 16)));
  return bytes;
}

std::map<std::string, std::string> read_golden() {
  std::map<std::string, std::string> bodies;
  std::ifstream file(CLAIMSD_GOLDEN_FLEET);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    std::string hex;
    if (words >> name >> hex) bodies[name] = from_hex(hex);
  }
  return bodies;
}

FleetId id(int first) {
  FleetId made{};
  for (std::size_t at = 0; at < made.size(); ++at)
    made[at] = static_cast<std::uint8_t>(static_cast<std::size_t>(first) + at);
  return made;
}

constexpr std::int64_t kNow = 1'767'225'600'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

FleetRule rule(std::uint8_t kind, std::uint8_t subject) {
  FleetRule made{.kind = kind,
                 .ends = kNow + 3'600 * kSecond,
                 .not_before = kNow,
                 .without_iat_ends = INT64_MIN};
  made.subject.fill(subject);
  return made;
}

FleetAction action() {
  return {.id = id(1),
          .author = id(0xa0),
          .actor_uid = 1000,
          .made_at = kNow,
          .rules = {rule(2, 0x11), rule(3, 0x22)}};
}

const FleetSender kSender{.host = id(0xa0), .sequence = 0x0102'0304'0506'0708};

// Decodes as Content, compares, and encodes again.
template <class Content>
void expect(const std::string& bytes, FleetKind kind, const Content& expected,
            bool wants_acknowledgement = false) {
  const ExactBytes exact(bytes);
  FleetBody body;
  REQUIRE(decode_fleet_body(exact.view(), body));
  CHECK(body.kind == kind);
  CHECK(body.sender.host == kSender.host);
  CHECK(body.sender.sequence == kSender.sequence);
  CHECK(body.sender.wants_acknowledgement == wants_acknowledgement);
  Content content;
  REQUIRE(decode_fleet(body.content, content));
  CHECK((content == expected));
  CHECK((encode_fleet(body.sender, content) == bytes));
  CHECK((encode_fleet(body.sender, kind, body.content) == bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const ExactBytes cut(bytes.substr(0, size));
    CHECK_FALSE((decode_fleet_body(cut.view(), body) && decode_fleet(body.content, content)));
  }
  const ExactBytes longer(bytes + '\0');
  CHECK_FALSE((decode_fleet_body(longer.view(), body) && decode_fleet(body.content, content)));
}

TEST_CASE("every golden fleet message decodes to the expected content and is encoded again") {
  const auto golden = read_golden();
  REQUIRE(golden.size() == 6);
  expect(golden.at("action"), FleetKind::kAction, action(), true);
  expect(golden.at("withdrawal"), FleetKind::kWithdrawal,
         FleetWithdrawal{.action = id(1),
                         .author = id(0xb0),
                         .actor_uid = 0xffffffff,
                         .made_at = kNow + kSecond,
                         .ends = kNow + 3'600 * kSecond});
  expect(golden.at("pulse"), FleetKind::kPulse,
         FleetPulse{.number = 42,
                    .redis_time = kNow,
                    .horizon = kNow + 120 * kSecond,
                    .digest = {.items = 3, .sum = {5, 6}}});
  expect(golden.at("row"), FleetKind::kRow,
         FleetRow{.incarnation = 7,
                  .redis_time = kNow,
                  .items = 3,
                  .name = "host-1",
                  .version = "0.2.0",
                  .acknowledged = {{id(1), false}, {id(2), true}}});
  FleetBuckets buckets{.horizon = kNow + 120 * kSecond};
  for (std::size_t at = 0; at < kFleetBuckets; ++at) buckets.sums[at] = at * at;
  expect(golden.at("buckets"), FleetKind::kBuckets, buckets);
  FleetIds ids{.horizon = kNow + 120 * kSecond,
               .bucket = 0x21,
               .items = {{id(0x21), false}, {id(0x21), true}}};
  ids.after.id[0] = 0x21;
  expect(golden.at("ids"), FleetKind::kIds, ids);
}

TEST_CASE("a fleet message beyond a limit is not encoded, and the largest are") {
  FleetAction large = action();
  large.rules.assign(kMaxFleetRules, rule(2, 1));
  CHECK_FALSE(encode_fleet(kSender, large).empty());
  large.rules.push_back(rule(2, 1));
  CHECK(encode_fleet(kSender, large).empty());
  large.rules.clear();
  CHECK(encode_fleet(kSender, large).empty());
  FleetIds ids;
  ids.items.resize(kMaxFleetIds);
  CHECK_FALSE(encode_fleet(kSender, ids).empty());
  ids.items.resize(kMaxFleetIds + 1);
  CHECK(encode_fleet(kSender, ids).empty());
  CHECK(encode_fleet(kSender, FleetRow{.name = std::string(kMaxFleetName + 1, 'x')}).empty());
}

TEST_CASE("an action with one rule needs less than 200 bytes, sealed") {
  FleetAction small = action();
  small.rules.pop_back();
  CHECK(encode_fleet(kSender, small).size() + kFleetHeader + 28 < 200);
}

// Whether the content is decoded after it was encoded.
template <class Content>
bool is_read(const Content& content) {
  const std::string bytes = encode_fleet(kSender, content);
  FleetBody body;
  Content read;
  return decode_fleet_body(bytes, body) && decode_fleet(body.content, read);
}

TEST_CASE("a time with which sums could overflow is malformed in every message") {
  CHECK(is_read(FleetPulse{.redis_time = kMaxFleetTime, .horizon = kMaxFleetTime}));
  for (const std::int64_t bad : {std::int64_t{-1}, kMaxFleetTime + 1, INT64_MAX, INT64_MIN}) {
    CHECK_FALSE(is_read(FleetAction{.made_at = bad, .rules = {{}}}));
    CHECK_FALSE(is_read(FleetWithdrawal{.made_at = bad}));
    CHECK_FALSE(is_read(FleetPulse{.redis_time = bad}));
    CHECK_FALSE(is_read(FleetPulse{.horizon = bad}));
    CHECK_FALSE(is_read(FleetRow{.redis_time = bad}));
    CHECK_FALSE(is_read(FleetBuckets{.horizon = bad}));
    CHECK_FALSE(is_read(FleetIds{.horizon = bad}));
    const bool is_bound = bad == INT64_MAX || bad == INT64_MIN;
    CHECK(is_read(FleetAction{.rules = {{.ends = bad}}}) == is_bound);
    CHECK(is_read(FleetAction{.rules = {{.not_before = bad}}}) == is_bound);
    CHECK(is_read(FleetAction{.rules = {{.without_iat_ends = bad}}}) == is_bound);
    CHECK(is_read(FleetWithdrawal{.ends = bad}) == is_bound);
  }
}

TEST_CASE("unsorted ids, unknown kinds and flags are malformed") {
  FleetIds ids{.items = {{id(2), false}, {id(1), false}}};
  const std::string unsorted = encode_fleet(kSender, ids);
  FleetBody body;
  REQUIRE(decode_fleet_body(unsorted, body));
  CHECK_FALSE(decode_fleet(body.content, ids));
  std::string bytes = encode_fleet(kSender, FleetPulse{});
  bytes[0] = 7;
  CHECK_FALSE(decode_fleet_body(bytes, body));
  bytes[0] = 3;
  CHECK(decode_fleet_body(bytes, body));
  bytes[1] = 2;
  CHECK_FALSE(decode_fleet_body(bytes, body));
}

}  // namespace
}  // namespace claimsd::proto
