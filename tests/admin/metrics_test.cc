#include "daemon/admin/metrics.h"

#include <regex>
#include <set>
#include <sstream>

#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

std::string text_of(const DaemonStatus& status) {
  return metrics_text({status, ProcessUsage{.cpu = milliseconds(2500), .resident_bytes = 4096}});
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST_CASE("every counter in the table is a metric with its help and value") {
  const auto status = sample_status();
  const auto text = text_of(status);
  const auto check = [&](std::string_view name, std::string_view help, std::uint64_t n) {
    const auto metric = "claimsd_" + std::string(name) + "_total";
    CAPTURE(metric);
    CHECK(text.find("# HELP " + metric + " " + std::string(help) + "\n") != std::string::npos);
    CHECK(text.find("# TYPE " + metric + " counter\n") != std::string::npos);
    CHECK(text.find("\n" + metric + " " + std::to_string(n) + "\n") != std::string::npos);
  };
  each_counter(status.counters, check);
  each_counter(status.leases.counters, check);
  each_counter(status.server_counters, check);
  each_counter(status.http.counters, check);
  each_counter(status.audit.log.counters, check);
}

TEST_CASE("metrics follow the text format: help and type before the samples, each name once") {
  const std::regex comment("# (HELP|TYPE) ((claimsd|process)_[a-z_]+) .+");
  const std::regex sample(
      R"(((?:claimsd|process)_[a-z_]+?)(_bucket|_sum|_count)?(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+)");
  const auto text = text_of(sample_status());
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
      CHECK(series.insert(match[1].str() + match[2].str() + match[3].str()).second);
    }
  }
}

TEST_CASE("the audit metrics are present only if an audit log is kept") {
  auto status = sample_status();
  CHECK(text_of(status).find("\nclaimsd_audit_writable 1\n") != std::string::npos);
  status.audit.log.state = audit::State::kDiskFull;
  CHECK(text_of(status).find("\nclaimsd_audit_writable 0\n") != std::string::npos);
  status.audit.log.state = audit::State::kOff;
  CHECK(text_of(status).find("\nclaimsd_audit_writable ") == std::string::npos);
}

TEST_CASE("an Auth API's name cannot break out of its label") {
  auto status = sample_status();
  status.upstreams[0].name = "a\"} 1\nb\\";
  CHECK(
      text_of(status).find(R"(claimsd_upstream_consecutive_failures{upstream="a\"} 1\nb\\"} 0)") !=
      std::string::npos);
}

TEST_CASE("gauges are in base units") {
  const auto text = text_of(sample_status());
  CHECK(text.find("\nclaimsd_uptime_seconds 90.5\n") != std::string::npos);
  CHECK(text.find("\nclaimsd_lease_slots 16384\n") != std::string::npos);
  CHECK(text.find("\nclaimsd_lease_slots_used 42\n") != std::string::npos);
  CHECK(text.find("\nprocess_start_time_seconds 1700000000\n") != std::string::npos);
  CHECK(text.find("\nprocess_cpu_seconds_total 2.5\n") != std::string::npos);
  CHECK(text.find("\nprocess_resident_memory_bytes 4096\n") != std::string::npos);
}

TEST_CASE("histogram buckets are cumulative, and the last one has all observations") {
  auto status = sample_status();
  claims::CallStatistics& calls = status.upstreams[0].calls;
  calls.completed(proto::Reason::kOk, milliseconds(3));
  calls.completed(proto::Reason::kOk, milliseconds(4));
  calls.completed(proto::Reason::kOk, seconds(60));
  const auto text = text_of(status);
  const auto has = [&](std::string_view line) {
    return text.find("\nclaimsd_upstream_call_seconds" + std::string(line) + "\n") !=
           std::string::npos;
  };
  CHECK(has(R"(_bucket{upstream="main",outcome="confirmed",le="0.002"} 0)"));
  CHECK(has(R"(_bucket{upstream="main",outcome="confirmed",le="0.005"} 2)"));
  CHECK(has(R"(_bucket{upstream="main",outcome="confirmed",le="30"} 2)"));
  CHECK(has(R"(_bucket{upstream="main",outcome="confirmed",le="+Inf"} 3)"));
  CHECK(has(R"(_count{upstream="main",outcome="confirmed"} 3)"));
  CHECK(has(R"(_sum{upstream="main",outcome="confirmed"} 60.007)"));
}

TEST_CASE("failed requests are counted by reason") {
  auto status = sample_status();
  status.upstreams[0].calls.completed(proto::Reason::kUpstreamTls, milliseconds(3));
  CHECK(
      text_of(status).find(
          "\nclaimsd_upstream_failures_by_reason_total{upstream=\"main\",reason=\"upstream_tls\"} "
          "1\n") != std::string::npos);
}

TEST_CASE("the labels in the table match those of the samples") {
  const auto status = sample_status();
  const std::regex label("[{,]([a-z]+)=");
  for (const Metric& metric : metrics()) {
    std::string text;
    Samples samples(text, metric.name);
    metric.write(samples, {status, ProcessUsage{}});
    CAPTURE(metric.name, text);
    const auto line = text.substr(0, text.find('\n'));
    std::string labels;
    for (std::sregex_iterator at(line.begin(), line.end(), label), end; at != end; ++at) {
      if ((*at)[1] != "le") labels += (labels.empty() ? "" : ", ") + (*at)[1].str();
    }
    CHECK(labels == metric.labels);
  }
}

}  // namespace
}  // namespace claimsd::admin
