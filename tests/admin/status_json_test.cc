#include "daemon/admin/status_json.h"

#include <simdjson.h>

#include <memory>

#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

// A parsed document with the parser that owns it.
struct Document {
  explicit Document(const std::string& json) : root(parser->parse(json)) {}
  simdjson::simdjson_result<simdjson::dom::element> at(std::string_view pointer) const {
    return root.at_pointer(pointer);
  }
  std::string text(std::string_view pointer) const {
    return std::string(std::string_view(at(pointer)));
  }
  std::unique_ptr<simdjson::dom::parser> parser = std::make_unique<simdjson::dom::parser>();
  simdjson::dom::element root;
};

TEST_CASE("a status contains its schema and all of its numbers") {
  const Document json(status_json(sample_status()));
  CHECK(int64_t(json.at("/schema")) == 1);
  CHECK(bool(json.at("/healthy")));
  CHECK(json.text("/state") == "running");
  CHECK(json.text("/version") == "0.2.0");
  CHECK(int64_t(json.at("/pid")) == 4711);
  CHECK(json.text("/started") == "2023-11-14T22:13:20Z");
  CHECK(double(json.at("/uptime_seconds")) == Approx(90.5));
  CHECK(int64_t(json.at("/connections/open")) == 12);
  CHECK(int64_t(json.at("/connections/max")) == 1024);
  CHECK(int64_t(json.at("/queries/waiting")) == 3);
  CHECK(int64_t(json.at("/requests/in_flight")) == 2);
  CHECK(int64_t(json.at("/requests/pending")) == 5);
  CHECK(int64_t(json.at("/cache/entries")) == 812);
  CHECK(int64_t(json.at("/cache/max_entries")) == 100'000);
  CHECK(int64_t(json.at("/cache/negative_entries")) == 7);
  CHECK(int64_t(json.at("/leases/slots")) == 16'384);
  CHECK(int64_t(json.at("/leases/used")) == 42);
  CHECK(int64_t(json.at("/leases/epoch")) == 6);
  CHECK(json.text("/audit/state") == "writable");
  CHECK(json.text("/audit/level") == "failures");
  CHECK(json.text("/audit/when_full") == "unavailable");
  CHECK(int64_t(json.at("/audit/sequence")) == 5012);
  CHECK(int64_t(json.at("/audit/waiting")) == 8);
  CHECK(json.text("/upstreams/0/name") == "main");
  CHECK(json.text("/upstreams/0/state") == "ok");
  CHECK(double(json.at("/upstreams/0/last_latency_seconds")) == Approx(0.012));
}

TEST_CASE("every counter in the table is in the status") {
  const auto status = sample_status();
  const Document json(status_json(status));
  const auto check = [&](std::string_view name, std::string_view, std::uint64_t value) {
    CHECK(uint64_t(json.at("/counters/" + std::string(name))) == value);
  };
  each_counter(status.counters, check);
  each_counter(status.leases.counters, check);
  each_counter(status.server_counters, check);
  each_counter(status.audit.log.counters, check);
}

TEST_CASE("the hit ratio counts only queries that a cache could answer") {
  DaemonStatus status;
  CHECK(Document(status_json(status)).at("/cache/hit_ratio").is_null());
  status.counters.queries = 10;
  status.counters.local_rejections = 2;
  status.counters.cache_hits = 5;
  status.counters.negative_hits = 1;
  CHECK(double(Document(status_json(status)).at("/cache/hit_ratio")) == Approx(0.75));
  status.server_counters.worker_hits = 992;  // they never reach the daemon, so workers report them
  CHECK(double(Document(status_json(status)).at("/cache/hit_ratio")) == Approx(0.998));
}

TEST_CASE("one failure of an Auth API is no finding, two in a row are") {
  auto status = sample_status();
  status.upstreams[0].last_failure = "upstream_timeout";
  status.upstreams[0].consecutive_failures = 1;
  CHECK(assess(status).empty());
  status.upstreams[0].consecutive_failures = 2;
  const auto findings = assess(status);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "upstream_failing");
  CHECK(findings[0].message.find("upstream_timeout") != std::string::npos);
  CHECK_FALSE(findings[0].hint.empty());
  CHECK_FALSE(findings[0].blocks);
  const Document json(status_json(status));
  CHECK_FALSE(bool(json.at("/healthy")));
  CHECK(json.text("/findings/0/code") == "upstream_failing");
  CHECK(json.text("/upstreams/0/state") == "failing");
}

TEST_CASE("unusable or expired certificates are a finding") {
  auto status = sample_status();
  status.now = WallTime(seconds(1'700'000'000));
  CertificateStatus& certificates = status.upstreams[0].certificates;
  certificates.client_end = status.now + seconds(1);
  CHECK(assess(status).empty());
  CHECK(Document(status_json(status)).text("/upstreams/0/client_certificate_ends") ==
        "2023-11-14T22:13:21Z");
  SECTION("a broken file") {
    certificates.error = "upstream.main.ca_file: the file is empty";
    CHECK(assess(status).at(0).code == "certificates_refused");
    CHECK(assess(status).at(0).message.find(certificates.error) != std::string::npos);
  }
  SECTION("an expired one") {
    status.now += seconds(1);
    CHECK(assess(status).at(0).code == "certificate_ended");
  }
  CHECK(assess(status).size() == 1);
  CHECK_FALSE(assess(status)[0].blocks);
}

TEST_CASE("a stopping or full daemon is not ready") {
  auto status = sample_status();
  SECTION("stopping") {
    status.stopping = true;
  }
  SECTION("full") {
    status.connections = status.max_connections;
  }
  const auto findings = assess(status);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].blocks);
}

TEST_CASE("an audit log that takes no records is a finding that says how queries are answered") {
  auto status = sample_status();
  const auto only_finding = [&] {
    const auto findings = assess(status);
    REQUIRE(findings.size() == 1);
    CHECK_FALSE(findings[0].blocks);  // queries that need no record are still answered
    CHECK_FALSE(findings[0].hint.empty());
    return findings[0];
  };
  SECTION("its disk is full") {
    status.audit.log.state = audit::State::kDiskFull;
    CHECK(only_finding().code == "audit_disk_full");
    CHECK(only_finding().message.find("withheld") != std::string::npos);
    status.audit.denies = false;
    CHECK(only_finding().message.find("sent without one") != std::string::npos);
  }
  SECTION("its disk fails") {
    status.audit.log.state = audit::State::kReopening;
    CHECK(only_finding().code == "audit_not_writable");
  }
  SECTION("more records than it could take, a moment ago") {
    status.audit.log.overflowed = seconds(5);
    CHECK(only_finding().code == "audit_overflowed");
    status.audit.log.overflowed = kOverflowMatters;
    CHECK(assess(status).empty());
  }
  SECTION("records deleted before their time, in the last day") {
    status.audit.log.dropped_early = std::chrono::hours(23);
    CHECK(only_finding().code == "audit_dropped_early");
    status.audit.log.dropped_early = kAuditLossMatters;
    CHECK(assess(status).empty());
  }
  SECTION("a wall clock that was set in the last day") {
    status.audit.log.clock_jumped = seconds(1);
    CHECK(only_finding().code == "clock_jumped");
    status.audit.log.clock_jumped = kAuditLossMatters;
    CHECK(assess(status).empty());
  }
  SECTION("none is kept") {
    status.audit.log.state = audit::State::kOff;
    CHECK(assess(status).empty());
  }
}

TEST_CASE("a condition that delays answers is a finding while it lasts and blocks nothing") {
  auto status = sample_status();
  const auto only_finding = [&] {
    const auto findings = assess(status);
    REQUIRE(findings.size() == 1);
    CHECK_FALSE(findings[0].blocks);
    CHECK_FALSE(findings[0].hint.empty());
    return findings[0].code;
  };
  SECTION("the cache failed a moment ago") {
    status.cache_error = seconds(5);
    CHECK(only_finding() == "cache_failing");
    status.cache_error = kCacheErrorMatters;
    CHECK(assess(status).empty());
  }
  SECTION("the file system of the cache was full a moment ago") {
    status.cache_disk_full_ago = seconds(5);
    CHECK(only_finding() == "cache_disk_full");
    status.cache_disk_full_ago = kCacheErrorMatters;
    CHECK(assess(status).empty());
  }
  SECTION("the map is enabled but missing") {
    status.leases = {.wanted = true, .slots = 64};
    CHECK(assess(status).empty());
    status.leases.slots = 0;
    CHECK(only_finding() == "map_off");
    status.leases.wanted = false;
    CHECK(assess(status).empty());
  }
  SECTION("the limit of waiting queries is reached") {
    status.max_waiting = status.waiting + 1;
    CHECK(assess(status).empty());
    status.waiting = status.max_waiting;
    CHECK(only_finding() == "waiting_full");
  }
  SECTION("the limit of pending requests to one Auth API is reached") {
    status.upstreams[0].max_pending = 10;
    status.upstreams[0].pending = 9;
    CHECK(assess(status).empty());
    status.upstreams[0].pending = 10;
    CHECK(only_finding() == "pending_full");
  }
}

TEST_CASE("a revocation that is not on disk is a finding once the disk has failed or is slow") {
  DaemonStatus status = sample_status();
  status.unwritten_revocations = 2;
  CHECK(assess(status).empty());  // a write takes some milliseconds
  SECTION("a slow disk") {
    status.unwritten_revocations_age = kUnwrittenMatters;
  }
  SECTION("a full disk") {
    status.revocation_error = "the disk is full";
  }
  const auto findings = assess(status);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].code == "revocations_not_durable");
  CHECK(findings[0].message.find("2 purges or revocations") != std::string::npos);
  CHECK(findings[0].hint.find("do not restart claimsd") != std::string::npos);
  CHECK_FALSE(findings[0].blocks);
}

TEST_CASE("an Auth API without any request yet is neither healthy nor failing") {
  CHECK(upstream_state(UpstreamStatus{}) == "unknown");
}

}  // namespace
}  // namespace claimsd::admin
