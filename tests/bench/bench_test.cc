// Tests of how the bench computes and prints its figures. The measurement itself is tested by
// running it.
#include <simdjson.h>

#include <array>

#include "tests/bench/report.h"
#include "tests/bench/stats.h"
#include "tests/bench/workload.h"
#include "tests/support/catch.h"

using namespace claimsd::bench;

namespace {

Measurement measured(double ours, double theirs) {
  return {.subject = {.name = "claimsd", .value = ours},
          .peers = {{.name = "pingpong", .value = theirs}},
          .beside = {}};
}

Finding judged(Goal goal, double ours, double theirs) {
  const std::array goals{goal};
  return judge("hit_socket", "us", goals, measured(ours, theirs)).front();
}

}  // namespace

TEST_CASE("a goal of at most 1.3 holds at 1.3 and not above") {
  const Goal goal{"pingpong", Ratio::kOverPeer, Bound::kAtMost, 1.3};
  CHECK(goal.text() == "<= 1.3");
  CHECK(judged(goal, 13, 10).holds);
  CHECK_FALSE(judged(goal, 13.1, 10).holds);
}

TEST_CASE("a goal of less than a peer fails when both are equal") {
  const Goal goal{"pingpong", Ratio::kOverPeer, Bound::kBelow, 1};
  CHECK(goal.text() == "< 1");
  CHECK(judged(goal, 9.9, 10).holds);
  CHECK_FALSE(judged(goal, 10, 10).holds);
}

TEST_CASE("a goal of times faster divides the peer's time by ours") {
  const Goal goal{"pingpong", Ratio::kUnderPeer, Bound::kAtLeast, 60};
  CHECK(goal.text() == ">= 60");
  CHECK(judged(goal, 0.1, 9).ratio == Approx(90));
  CHECK(judged(goal, 0.1, 9).holds);
  CHECK_FALSE(judged(goal, 1, 9).holds);
}

TEST_CASE("a goal whose peer was not measured fails") {
  CHECK_FALSE(judged({"redis", Ratio::kOverPeer, Bound::kBelow, 1}, 1, 10).holds);
  CHECK_FALSE(judged({"pingpong", Ratio::kOverPeer, Bound::kBelow, 1}, 0, 10).holds);
  CHECK_FALSE(judged({"pingpong", Ratio::kUnderPeer, Bound::kAtLeast, 1}, 1, 0).holds);
}

TEST_CASE("a finding is one line of JSON with the documented keys") {
  const std::string line =
      to_json(judged({"pingpong", Ratio::kOverPeer, Bound::kAtMost, 1.3}, 12, 10));
  CHECK(line.find('\n') == std::string::npos);
  simdjson::dom::parser parser;
  const simdjson::dom::object object = parser.parse(line);
  CHECK(std::string_view(object["name"]) == "hit_socket");
  CHECK(double(object["value"]) == 12);
  CHECK(std::string_view(object["unit"]) == "us");
  CHECK(std::string_view(object["peer"]) == "pingpong");
  CHECK(double(object["peer_value"]) == 10);
  CHECK(double(object["ratio"]) == Approx(1.2));
  CHECK(std::string_view(object["goal"]) == "<= 1.3");
  CHECK(bool(object["holds"]));
}

TEST_CASE("the table shows every measured pair and marks a failed goal") {
  Measurement measurement = measured(14, 10);
  measurement.peers.push_back({.name = "uv_echo", .value = 11});
  measurement.beside.push_back(
      {.regime = "two idle cores", .figures = {{.name = "claimsd", .value = 50}}});
  const std::array goals{Goal{"pingpong", Ratio::kOverPeer, Bound::kAtMost, 1.3}};
  const std::string table =
      to_table("hit_socket", "a hit", judge("hit_socket", "us", goals, measurement), measurement);
  for (const char* expected :
       {"FAILED", "<= 1.3", "1.40", "uv_echo", "1.27", "two idle cores", "50.00"}) {
    CHECK_THAT(table, ContainsSubstring(expected));
  }
}

TEST_CASE("a noisy measurement gives a warning and a quiet one does not") {
  Measurement measurement = measured(12, 10);
  CHECK(noise_warning(measurement).empty());
  measurement.peers.front().spread = 0.4;
  CHECK_THAT(noise_warning(measurement), ContainsSubstring("pingpong 40 %"));
}

TEST_CASE("figures are computed from unsorted samples") {
  CHECK(median({3, 1, 2}) == 2);
  CHECK(percentile({5, 1, 4, 2, 3}, 1) == 5);
  CHECK(percentile({}, 0.5) == 0);
  CHECK(trimmed_mean({1000, 1, 3, 2}, 0.75) == 2);
  CHECK(trimmed_mean({}, 0.95) == 0);
  CHECK(spread({9, 10, 11}) == Approx(0.2));
}

TEST_CASE("the workload has the documented sizes and distinct tokens") {
  CHECK(make_token(1).size() == kTokenSize);
  CHECK(make_token(1) != make_token(2));
  CHECK(claims_json().size() == kClaimsSize);
  CHECK(cache_key().size() == kKeySize);
  CHECK(frame_sizes().question > kTokenSize);
  CHECK(frame_sizes().answer > kClaimsSize);
}

TEST_CASE("base64url follows RFC 4648 without padding") {
  CHECK(base64url("") == "");
  CHECK(base64url("f") == "Zg");
  CHECK(base64url("fo") == "Zm8");
  CHECK(base64url("foobar") == "Zm9vYmFy");
  CHECK(base64url("\xff\xfe") == "__4");
}
