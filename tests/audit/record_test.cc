// One record: its encoding, its line of text and its limits.
#include "daemon/audit/digest.h"
#include "daemon/base/hex.h"
#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

Record full_record() {
  Record record = refusal_number(1);
  record.sequence = 42;
  record.at = {BootTime(seconds(77)), kNoon};
  record.last = kNoon + seconds(3);
  record.count = 9;
  record.user = "user-7";
  record.method = "POST";
  record.route = "/a b/";
  record.roles = "admin";
  record.detail = "d";
  return record;
}

}  // namespace

TEST_CASE("a record is unchanged by encoding and decoding") {
  Record record = full_record();
  CHECK(decode_audit_record(encode_audit_record(record)) == record);
  record.token.reset();
  record.various = true;
  CHECK(decode_audit_record(encode_audit_record(record)) == record);
  CHECK(audit_sequence_of(encode_audit_record(record)) == 42);
}

TEST_CASE("the encoding of a record matches the golden file described in FORMAT.md") {
  std::string golden = file_text(std::string(CLAIMSD_TESTDATA) + "/record.hex");
  while (!golden.empty() && golden.back() == '\n') golden.pop_back();
  CHECK(hex_text(encode_audit_record(full_record())) == golden);
  CHECK(file_text(CLAIMSD_FORMAT_MD).find(golden.substr(0, 64)) != std::string::npos);
}

TEST_CASE("long texts are truncated so that a record stays within its limit, and the flag is set") {
  Record record = full_record();
  const std::string endless(10'000, 'x');
  record.peer.comm = record.user = record.upstream = record.method = endless;
  record.route = record.roles = record.detail = endless;
  const std::string bytes = encode_audit_record(record);
  CHECK(bytes.size() == kMaxAuditRecord);
  const auto decoded = decode_audit_record(bytes);
  REQUIRE(decoded);
  CHECK(decoded->cut);
  CHECK(decoded->user.size() == kMaxAuditUser);
}

TEST_CASE("decoding rejects truncated records, extra bytes, unknown flags and unknown versions") {
  const std::string bytes = encode_audit_record(full_record());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(decode_audit_record(std::string_view(bytes).substr(0, size)));
  }
  CHECK_FALSE(decode_audit_record(bytes + "x"));
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{70}}) {
    std::string changed = bytes;
    changed[at] = '\x7f';
    CHECK_FALSE(decode_audit_record(changed));
  }
}

TEST_CASE("the text of a record is one line whatever bytes it contains") {
  Record record = full_record();
  for (int byte = 0; byte < 256; ++byte) {
    for (std::string* text : {&record.user, &record.route, &record.detail, &record.peer.comm,
                              &record.method, &record.roles, &record.upstream}) {
      *text = std::string("a") + static_cast<char>(byte) + "\"b=c";
    }
    const std::string line = audit_line(record);
    for (const char c : line) CHECK(static_cast<unsigned char>(c) >= 0x20);
    CHECK(line.find('\x7f') == std::string::npos);
  }
}

TEST_CASE("the text of a record has all its fields") {
  CHECK(audit_line(full_record()) ==
        "2024-10-04T12:00:00.000000Z #42 rejected verdict=invalid reason=rejected source=upstream "
        "status=401 took=12000us user=user-7 token=0100000000000000000000000000005a uid=1000 "
        "gid=1000 pid=4711 comm=gunicorn upstream=main method=POST route=\"/a b/\" roles=admin "
        "detail=d count=9 last=2024-10-04T12:00:03.000000Z");
}

TEST_CASE("the chain depends on the origin, on every record and on their order") {
  auto hasher = Hasher::create();
  REQUIRE(hasher);
  CHECK(hasher->first("a") != hasher->first("b"));
  const Link start = hasher->first("a");
  CHECK(hasher->next(hasher->next(start, "x"), "y") != hasher->next(hasher->next(start, "y"), "x"));
}

TEST_CASE("a token fingerprint depends on the host key and the token only") {
  const Secret key(std::string_view("0123456789abcdef0123456789abcdef"));
  const Secret other(std::string_view("0123456789abcdef0123456789abcdeg"));
  auto one = Fingerprinter::create(key);
  auto two = Fingerprinter::create(other);
  REQUIRE(one);
  REQUIRE(two);
  const Fingerprint name = one->of("token");
  static_cast<void>(one->of("another"));
  CHECK(one->of("token") == name);
  CHECK(two->of("token") != name);
}

TEST_CASE("every event has a unique name and operator actions are recorded at every level") {
  for (const EventRow& row : kAuditEvents) {
    CHECK(audit_event_named(row.name)->event == row.event);
    CHECK(recorded_at(Level::kEvery, row.event));
  }
  for (const Event event : {Event::kPurged, Event::kRevoked, Event::kConfigured, Event::kGap,
                            Event::kDenied, Event::kRejected}) {
    CHECK(recorded_at(Level::kFailures, event));
  }
  CHECK_FALSE(recorded_at(Level::kFailures, Event::kVerified));
  CHECK_FALSE(recorded_at(Level::kVerifications, Event::kLeased));
  CHECK_FALSE(recorded_at(Level::kLeases, Event::kHit));
}
