// audit_sample DIRECTORY KEYFILE: writes a log with anchors for the tests of claimsctl. It holds 40
// denials of two users, 30 rejections of random tokens, one rejection of the token on standard
// input, one record of 7 lookups that timed out, a gap of 5 and hostile routes. Times are fixed:
// 2024-10-04 from noon.
#include <fstream>
#include <iostream>
#include <iterator>

#include "daemon/audit/anchors.h"
#include "daemon/audit/audit_store.h"
#include "daemon/audit/digest.h"

using namespace claimsd;
using namespace claimsd::audit;

namespace {

constexpr WallTime kNoon{std::chrono::hours(24 * 20000 + 12)};

std::string text_of(std::istream& in) {
  return {std::istreambuf_iterator<char>(in), {}};
}

Record at_minute(Event event, int minute) {
  Record record;
  record.event = event;
  record.at = {BootTime(std::chrono::minutes(minute)), kNoon + std::chrono::minutes(minute)};
  record.last = record.at.wall;
  record.peer = {1000, 1000, 4711, "gunicorn"};
  record.upstream = "main";
  return record;
}

Record refusal(int minute, const Fingerprint& token) {
  Record record = at_minute(Event::kRejected, minute);
  record.verdict = static_cast<std::uint8_t>(claimsd::proto::Verdict::kInvalid);
  record.reason = claimsd::proto::Reason::kRejected;
  record.source = claimsd::proto::Source::kUpstream;
  record.status = 401;
  record.duration = milliseconds(12);
  record.token = token;
  return record;
}

Record outage(int minute) {
  Record record = at_minute(Event::kUnavailable, minute);
  record.peer = {33, 33, 815, "uwsgi"};
  record.verdict = static_cast<std::uint8_t>(claimsd::proto::Verdict::kUnavailable);
  record.reason = claimsd::proto::Reason::kUpstreamTimeout;
  record.count = 7;
  return record;
}

std::string route_of(int denial) {
  switch (denial) {
    case 3: return "=cmd|'/c calc'!A0\n\x1b[31m\",";
    case 5: return "\uff1dcmd|'/c calc'!A0";     // full-width
    case 6: return "\u200b \ufe66HYPERLINK(1)";  // small, behind a hidden character
    case 7: return "/\u202e\u2028\u2067\U000e0041/";
    default: return "/patients/{id}/";
  }
}

std::vector<Record> records(const Fingerprint& known) {
  std::vector<Record> all;
  for (int i = 0; i < 40; ++i) {
    Record record = at_minute(Event::kDenied, i);
    record.user = i % 4 == 0 ? "7" : "8";
    record.method = "GET";
    record.route = route_of(i);
    record.roles = "doctor";
    all.push_back(std::move(record));
  }
  for (int i = 0; i < 30; ++i) {
    Fingerprint token{};
    token[0] = static_cast<std::uint8_t>(i);
    all.push_back(refusal(40 + i, token));
  }
  all.push_back(refusal(75, known));
  all.push_back(outage(76));
  Record gap = at_minute(Event::kGap, 80);
  gap.peer = {};
  gap.count = 5;
  gap.detail = "denied=5 allowed=0";
  all.push_back(gap);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ifstream key(argv[2], std::ios::binary);
  auto names = Fingerprinter::create(Secret(text_of(key)));
  auto store = Store::open({argv[1], "host.example", 32U << 10U, {}}, kNoon);
  SystemRandom random;
  auto signer = Signer::open(argv[1], "host.example", random, kNoon);
  if (!names || !store || !signer) return 3;
  for (Record& record : records(names->of(text_of(std::cin)))) {
    if (store->append({&record, 1}, record.at.wall) != Appended::kDurable) return 4;
  }
  return signer->sign(store->head(), kNoon + std::chrono::hours(2)) ? 0 : 5;
}
