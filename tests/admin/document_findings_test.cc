#include "daemon/admin/document_findings.h"

#include <map>

#include "daemon/admin/upstream_monitor.h"
#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

namespace claimsd::admin {
namespace {

class RecordedLog final : public Log {
 public:
  using Log::write;
  void write(LogLevel, std::string_view event, std::string_view, LogFields) override {
    ++lines_[std::string(event)];
  }
  int count(const std::string& event) { return lines_[event]; }

 private:
  std::map<std::string, int> lines_;
};

// A monitor of one Auth API with two role claims.
struct Monitored {
  Monitored() {
    UpstreamStatus row;
    row.name = "main";
    row.documents.role_claims = {{.name = "role"}, {.name = "/realm_access/roles"}};
    monitor =
        std::make_unique<UpstreamMonitor>(std::vector<UpstreamStatus>{row}, clock, events, log);
  }
  void confirm(const claims::DocumentNotes& document) {
    monitor->request_completed(
        {.reason = proto::Reason::kOk, .status = 200, .document = &document});
  }
  std::vector<std::string> codes() const {
    std::vector<Finding> findings;
    assess_documents(monitor->upstreams().at(0), clock.now().wall, findings);
    std::vector<std::string> codes;
    for (const Finding& finding : findings) codes.push_back(finding.code);
    return codes;
  }

  testing::FakeClock clock;
  std::unique_ptr<loop::Loop> loop = *loop::Loop::create();
  EventFeed events{*loop, clock};
  RecordedLog log;
  std::unique_ptr<UpstreamMonitor> monitor;
};

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("a role claim that no document had is reported after 20 documents, and logged once") {
  Monitored world;
  for (std::uint64_t i = 1; i < kDocumentsUntilMissing; ++i) {
    world.confirm({.role_claims_found = 0b01});
    CHECK(world.codes().empty());
  }
  for (int i = 0; i < 3; ++i) world.confirm({.role_claims_found = 0b01});
  CHECK(world.codes() == Codes{"role_claim_missing"});
  CHECK(world.log.count("role_claim_missing") == 1);
  world.confirm({.role_claims_found = 0b10});
  CHECK(world.codes().empty());
  CHECK(world.monitor->upstreams().at(0).documents.role_claims.at(0).found == 22);
}

TEST_CASE(
    "an unusable document is reported with its member for an hour, unless all requests fail") {
  Monitored world;
  const auto refuse = [&](proto::Reason reason, std::string detail) {
    world.monitor->request_completed({.reason = reason, .status = 200, .detail = detail});
  };
  refuse(proto::Reason::kUpstreamStatus, "status 403");
  CHECK(world.codes().empty());
  world.confirm({.role_claims_found = 0b11});
  refuse(proto::Reason::kUpstreamBody, "member \"role\" lists more than 256 roles");
  CHECK(world.codes() == Codes{"documents_unusable"});
  world.confirm({.role_claims_found = 0b11});
  CHECK(world.codes() == Codes{"documents_unusable"});
  for (int i = 0; i < 3; ++i) refuse(proto::Reason::kRolesUnknown, "groups");
  CHECK(world.codes().empty());  // upstream_failing names it
  world.confirm({.role_claims_found = 0b11});
  CHECK(world.codes() == Codes{"documents_unusable"});
  CHECK(world.monitor->upstreams().at(0).documents.unusable == 4);
  world.clock.advance(kUnusableMatters);
  CHECK(world.codes().empty());
}

TEST_CASE("truncated documents and odd emails are counted, and logged once") {
  Monitored world;
  CHECK(world.codes().empty());
  for (int i = 0; i < 3; ++i) world.confirm({.truncated = true, .odd_email = true});
  CHECK(world.codes() == Codes{"claims_truncated"});
  CHECK(world.log.count("claims_truncated") == 1);
  CHECK(world.log.count("email_claim_odd") == 1);
  CHECK(world.monitor->upstreams().at(0).documents.truncated == 3);
  CHECK(world.monitor->upstreams().at(0).documents.odd_emails == 3);
}

}  // namespace claimsd::admin
