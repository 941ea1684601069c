#include "daemon/admin/metrics_text.h"

#include <catch2/catch.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "tests/admin/admin_harness.h"

namespace claimsd::daemon {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("every counter of the table is a metric with its help and value") {
  const auto status = sample_status();
  const auto text = metrics_text(status);
  const auto check = [&](std::string_view name, std::string_view help, std::uint64_t n) {
    const auto metric = "claimsd_" + std::string(name) + "_total";
    CAPTURE(metric);
    CHECK(text.find("# HELP " + metric + " " + std::string(help) + "\n") != std::string::npos);
    CHECK(text.find("# TYPE " + metric + " counter\n") != std::string::npos);
    CHECK(text.find("\n" + metric + " " + std::to_string(n) + "\n") != std::string::npos);
  };
  each_counter(status.counters, check);
  each_lease_counter(status.leases.counters, check);
}

TEST_CASE("metrics follow the text format: help and type before the samples, no name twice") {
  const std::regex comment("# (HELP|TYPE) (claimsd_[a-z_]+) .+");
  const std::regex sample(R"((claimsd_[a-z_]+)(\{[a-z]+="[^"]*"\})? -?[0-9.e+-]+)");
  const auto text = metrics_text(sample_status());
  CHECK(text.back() == '\n');
  std::set<std::string> described;
  std::set<std::string> series;
  for (const auto& line : lines_of(text)) {
    CAPTURE(line);
    std::smatch match;
    if (std::regex_match(line, match, comment)) {
      if (match[1] == "TYPE") CHECK(described.insert(match[2]).second);
    } else {
      REQUIRE(std::regex_match(line, match, sample));
      CHECK(described.count(match[1]) == 1);
      CHECK(series.insert(match[1].str() + match[2].str()).second);
    }
  }
}

TEST_CASE("an Auth API's name cannot break out of its label") {
  auto status = sample_status();
  status.upstreams[0].name = "a\"} 1\nb\\";
  CHECK(metrics_text(status).find(R"(claimsd_upstream_calls_total{upstream="a\"} 1\nb\\"} 900)") !=
        std::string::npos);
}

TEST_CASE("gauges are in base units") {
  const auto text = metrics_text(sample_status());
  CHECK(text.find("\nclaimsd_uptime_seconds 90.5\n") != std::string::npos);
  CHECK(text.find("\nclaimsd_lease_slots 16384\n") != std::string::npos);
  CHECK(text.find("\nclaimsd_lease_slots_used 42\n") != std::string::npos);
  CHECK(text.find("\nclaimsd_start_time_seconds 1700000000\n") != std::string::npos);
  CHECK(text.find("\nclaimsd_upstream_last_latency_seconds{upstream=\"main\"} 0.012\n") !=
        std::string::npos);
}

}  // namespace
}  // namespace claimsd::daemon
