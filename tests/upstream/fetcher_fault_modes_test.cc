// Every mode of the fault server, and what the transport makes of it. What the claims are worth is
// judged elsewhere.
#include <fmt/format.h>

#include <map>
#include <string>
#include <vector>

#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using namespace std::chrono_literals;
using proto::Reason;

struct Expected {
  Reason failure = Reason::kOk;
  int status = 200;
};

constexpr Expected kTimeout{Reason::kUpstreamTimeout};
constexpr Expected kProtocol{Reason::kUpstreamProtocol};
constexpr Expected kTooLarge{Reason::kUpstreamTooLarge};
constexpr Expected kBody{Reason::kUpstreamBody};

// Modes whose outcome is neither a complete 200 nor the status in the mode's name.
const std::map<std::string, Expected>& exceptions() {
  static const std::map<std::string, Expected> rows = {
      {"silence", kTimeout},
      {"slow-headers", kTimeout},
      {"slow-body", kTimeout},
      {"headers-then-silence", kTimeout},
      {"close", kProtocol},
      {"reset", kProtocol},
      {"cut-status-line", kProtocol},
      {"cut-headers", kProtocol},
      {"cut-body", kProtocol},
      {"cut-body-complete-json", kProtocol},
      {"cut-chunked", kProtocol},
      {"endless-headers", kProtocol},
      {"endless-interim", kProtocol},
      {"huge-header", kProtocol},
      {"length-negative", kProtocol},
      {"bad-chunk-size", kProtocol},
      {"garbage", kProtocol},
      {"garbage-status-line", kProtocol},
      {"http09", kProtocol},
      {"status-101", kProtocol},
      {"endless-chunks", kTooLarge},
      {"endless-body", kTooLarge},
      {"body-300k", kTooLarge},
      {"body-300k-chunked", kTooLarge},
      {"length-terabyte", kTooLarge},
      {"gzip", kBody},
      {"introspection-basic", {Reason::kOk, 400}},
      {"introspection-post", {Reason::kOk, 400}},
      {"introspection-certificate", {Reason::kOk, 400}},
      {"gzip-bomb", kBody},
  };
  return rows;
}

int number_after(const std::string& mode, const std::string& prefix) {
  return mode.starts_with(prefix) ? std::atoi(mode.c_str() + prefix.size()) : 0;
}

Expected expected_of(const std::string& mode) {
  const auto row = exceptions().find(mode);
  if (row != exceptions().end()) return row->second;
  for (const char* prefix : {"status-", "redirect-"}) {
    if (const int status = number_after(mode, prefix)) return {Reason::kOk, status};
  }
  if (mode.starts_with("401")) return {Reason::kOk, 401};
  return {};
}

// These modes block until the test opens a gate or need a script; fetcher_test.cc covers them.
bool is_steered(const std::string& mode) {
  return mode.starts_with("gate") || mode.starts_with("script");
}

std::vector<std::string> all_modes() {
  static const std::vector<std::string> modes = [] {
    const std::string json = fresh_fault_server().get("/_modes");
    const std::string key = "\"mode\": \"";
    std::vector<std::string> found;
    for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at)) {
      at += key.size();
      found.push_back(json.substr(at, json.find('"', at) - at));
    }
    return found;
  }();
  return modes;
}

TEST_CASE("each server fault has its expected outcome") {
  const std::vector<std::string> modes = all_modes();
  REQUIRE(modes.size() >= 36);
  for (const std::string& mode : modes) {
    if (is_steered(mode)) continue;
    DYNAMIC_SECTION(mode) {
      const Expected expected = expected_of(mode);
      UpstreamSettings settings = upstream_of(fresh_fault_server(), mode);
      if (expected.failure == Reason::kUpstreamTimeout) settings.timeout = milliseconds(150);
      Fetching fetching({settings});
      const claims::FetchOutcome outcome = fetching.fetch();
      INFO(outcome.detail);
      CHECK(proto::name_of(outcome.failure) == proto::name_of(expected.failure));
      CHECK(outcome.took > Duration::zero());
      if (expected.failure == Reason::kOk) {
        CHECK(outcome.status == expected.status);
        CHECK(outcome.detail.empty());
      } else {
        CHECK(outcome.body.empty());
        CHECK_FALSE(outcome.detail.empty());
        CHECK(outcome.detail.find(kToken) == std::string::npos);
      }
    }
  }
}

TEST_CASE("this test's table contains only modes of the fault server") {
  const std::vector<std::string> modes = all_modes();
  for (const auto& [mode, expected] : exceptions()) {
    INFO(mode);
    CHECK(std::find(modes.begin(), modes.end(), mode) != modes.end());
  }
}

TEST_CASE("a response is passed on unchanged") {
  const std::string body = R"({"id":"user-123","email":"tess@example.com","role":"rvt"})";
  const std::string mode =
      GENERATE("ok", "ok-chunked", "ok-trickle", "ok-no-length", "ok-interim-103");
  Fetching fetching({upstream_of(fresh_fault_server(), mode)});
  CHECK(fetching.fetch().body.view() == body);
}

TEST_CASE("the headers that affect the TTL are passed on") {
  test::FaultServer& server = fresh_fault_server();
  server.post("/_script/headers", R"([{"status":503,"headers":{
      "cache-CONTROL":"max-age=7","Age":"3","Retry-After":"9"}}])");
  Fetching fetching({upstream_of(server, "script-headers")});
  const claims::FetchOutcome outcome = fetching.fetch();
  CHECK(outcome.status == 503);
  CHECK(outcome.cache_control == "max-age=7");
  CHECK(outcome.age == "3");
  CHECK(outcome.retry_after == 9s);
}

TEST_CASE("Retry-After in seconds or as a date is advice of at most an hour") {
  test::FaultServer& server = fresh_fault_server();
  const auto advice = [&](std::string_view value) {
    server.post("/_script/retry", fmt::format(R"([{{"status":503,"headers":{{"Retry-After":"{}"}}}},
        {{"status":503}}])",
                                              value));
    Fetching fetching({upstream_of(server, "script-retry")});
    const seconds advised = fetching.fetch().retry_after;
    // The next response on the same connection advises nothing.
    CHECK(fetching.fetch().retry_after == 0s);
    return advised;
  };
  CHECK(advice("0") == 0s);
  CHECK(advice("120") == 120s);
  CHECK(advice("3601") == 3600s);
  CHECK(advice("99999999999999999999") == 0s);  // over 64 bits: libcurl reads no number
  CHECK(advice("-7") == 0s);
  CHECK(advice("soon") == 0s);
  CHECK(advice("Fri, 31 Dec 2999 23:59:59 GMT") == 3600s);
  CHECK(advice("Thu, 01 Jan 1970 00:00:00 GMT") == 0s);
  Fetching fetching({upstream_of(server, "status-503-retry-after-date")});  // in 30 s
  const seconds advised = fetching.fetch().retry_after;
  CHECK(advised > 20s);
  CHECK(advised <= 31s);
}

TEST_CASE("an unsolicited response is not used for the next request") {
  Fetching fetching({upstream_of(fresh_fault_server(), "extra-response")});
  for (int i = 0; i < 3; ++i) {
    const claims::FetchOutcome outcome = fetching.fetch();
    CHECK(outcome.failure == Reason::kOk);
    CHECK(outcome.body.view().find("user-123") != std::string_view::npos);
  }
}

}  // namespace
}  // namespace claimsd::upstream
