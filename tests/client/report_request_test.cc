// Refusals that a worker reports: what arrives, what comes of it, and what is said of those that
// could not be delivered.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/client/report_host.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

TEST_CASE("a refusal arrives as it was given and is recorded") {
  ReportHost host;
  CHECK(host.client.report(denial()).recorded());
  ReportRequest broken{.status = 401, .reason = "malformed", .await_record = true};
  CHECK(host.client.report(broken).recorded());
  const auto& seen = host.registrar.seen.at(0);
  CHECK(seen.token == "token");
  CHECK(seen.user == "user-7");
  CHECK(seen.method == "POST");
  CHECK(seen.route == "studies/<int:number>/");
  CHECK(seen.required == "HasRole(rvt)");
  CHECK(seen.client_address == "10.0.0.1");
  CHECK(seen.trace_id == "trace");
  CHECK(seen.report.status == 403);
  CHECK(seen.report.reason == 0);
  CHECK(seen.report.timeout_ms > 0);
  CHECK(host.registrar.seen.at(1).token.empty());
  CHECK(host.registrar.seen[1].report.reason ==
        static_cast<std::uint16_t>(proto::Reason::kMalformed));
  CHECK(host.client.statistics().reports_recorded == 2);
}

TEST_CASE(
    "texts that are too long are cut between characters, a token that is too long is left out") {
  ReportHost host;
  ReportRequest refusal = denial();
  const std::string token(proto::kMaxToken + 1, 't');
  refusal.token = token;
  refusal.method = std::string(100, 'M');
  std::string required(proto::kMaxRequired - 1, 'r');
  required += "\xc3\xa9";
  refusal.required = required;
  CHECK(host.client.report(refusal).recorded());
  CHECK(host.registrar.seen.at(0).token.empty());
  CHECK(host.registrar.seen[0].method == std::string(proto::kMaxMethod, 'M'));
  CHECK(host.registrar.seen[0].required == std::string(proto::kMaxRequired - 1, 'r'));
}

TEST_CASE("a receipt that says no is unavailable, whatever it says") {
  ReportHost host;
  for (const auto& [reason, said] : std::vector<std::pair<proto::Reason, std::string>>{
           {proto::Reason::kNotRecorded, "not_recorded"},
           {proto::Reason::kRejected, "protocol"},
           {static_cast<proto::Reason>(999), "unknown"}}) {
    host.registrar.reason = reason;
    const Answer why_not = host.client.report(denial());
    CHECK_FALSE(why_not.recorded());
    CHECK(why_not.unavailable());
    CHECK(why_not.reason() == said);
  }
}

TEST_CASE("what was not recorded is said with the next report that is") {
  ReportHost host;
  host.registrar.reason = proto::Reason::kNotRecorded;
  for (int i = 0; i < 3; ++i) CHECK_FALSE(host.client.report(denial()).recorded());
  host.registrar.reason = proto::Reason::kOk;
  for (int i = 0; i < 2; ++i) CHECK(host.client.report(denial()).recorded());
  CHECK(host.unacknowledged() == std::vector<std::uint32_t>{0, 1, 2, 3, 0});
  CHECK(host.client.statistics().reports_recorded == 2);
  CHECK(host.client.statistics().reports_lost == 3);
}

TEST_CASE("reports made while the daemon is down are counted and sent with the next report") {
  ReportHost host;
  host.host.daemon.stop();
  const Answer why_not = host.client.report(denial());
  CHECK_FALSE(why_not.recorded());
  CHECK(why_not.reason() == "no_daemon");
  host.host.daemon.start();
  CHECK(host.client.report(denial()).recorded());
  CHECK(host.unacknowledged() == std::vector<std::uint32_t>{1});
}

TEST_CASE("a daemon that says nothing is waited for as long as was said") {
  ReportHost host;
  host.registrar.silent = true;
  ReportRequest refusal = denial();
  refusal.timeout = 50ms;
  const Answer why_not = host.client.report(refusal);
  CHECK_FALSE(why_not.recorded());
  CHECK(why_not.reason() == "timeout");
}

TEST_CASE("a daemon that did not grant reports is sent none, and is asked as before") {
  std::atomic<int> others = 0;
  Host host([&others](Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      const auto query = frame->as<proto::Query>();
      if (!query) ++others;
      if (query) peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
    }
  });
  const Answer why_not = host.client.report(denial());
  CHECK_FALSE(why_not.recorded());
  CHECK(why_not.reason() == "no_reports");
  Stream stream(host.client);
  CHECK(stream.report(denial(), 1));
  CHECK(stream.send("user", 2));
  auto received = receive_all(stream);
  REQUIRE(received.size() == 2);
  CHECK(received[0].tag == 1);
  CHECK(received[0].answer.reason() == "no_reports");
  CHECK(received[1].answer.valid());
  CHECK(host.client.query("user").valid());
  CHECK(others == 0);
}

TEST_CASE("a stream carries reports among its questions") {
  ReportHost host;
  Stream stream(host.client);
  for (std::uint64_t tag = 0; tag < 100; ++tag) {
    const bool sent = tag % 2 == 0 ? stream.report(denial(), tag) : stream.send("user", tag);
    REQUIRE(sent);
  }
  for (const auto& [tag, answer] : receive_all(stream)) {
    CHECK(answer.recorded() == (tag % 2 == 0));
    CHECK(answer.valid() == (tag % 2 == 1));
  }
  CHECK(host.client.statistics().reports_recorded == 50);
}

TEST_CASE("a receipt for a query or an answer to a report is a protocol error") {
  Host host([](Peer& peer) {
    if (!welcome_with_reports(peer)) return;
    while (const auto frame = peer.receive()) {
      if (frame->as<proto::Report>()) {
        peer.send(valid_answer(claims_block("mallory")), frame->header.request_id);
      } else {
        peer.send(proto::Receipt{}, frame->header.request_id);
      }
    }
  });
  CHECK(host.client.query("t").reason() == "protocol");
  CHECK(host.client.report(denial()).reason() == "protocol");
  Stream stream(host.client);
  REQUIRE(stream.report(denial(), 1));
  REQUIRE(stream.send("t", 2));
  for (const auto& [tag, answer] : receive_all(stream)) {
    CHECK_FALSE(answer.recorded());
    CHECK(answer.reason() == "protocol");
  }
}

TEST_CASE("a report that was out when the daemon hung up is made once more") {
  Registrar registrar;
  Host host([&registrar](Peer& peer) {
    if (peer.number() > 0) return registrar.serve(peer);
    welcome_with_reports(peer);
    peer.receive();
  });
  Stream stream(host.client);
  REQUIRE(stream.report(denial(), 1));
  const auto received = receive_all(stream);
  REQUIRE(received.size() == 1);
  CHECK(received[0].answer.recorded());
  CHECK(host.client.statistics().reports_lost == 0);
}

TEST_CASE("closing a stream counts its unacknowledged reports as lost") {
  ReportHost host;
  host.registrar.silent = true;
  {
    Stream stream(host.client);
    for (std::uint64_t tag = 0; tag < 3; ++tag) REQUIRE(stream.report(denial(), tag));
  }
  CHECK(host.client.statistics().reports_lost == 3);
  host.registrar.silent = false;
  CHECK(host.client.report(denial()).recorded());
  CHECK(host.unacknowledged().back() == 3);
}

TEST_CASE("a forked child has losses of its own") {
  ReportHost host;
  host.registrar.reason = proto::Reason::kNotRecorded;
  CHECK_FALSE(host.client.report(denial()).recorded());
  host.registrar.reason = proto::Reason::kOk;
  const pid_t child = fork();
  if (child == 0) {
    const bool recorded = host.client.report(denial()).recorded();
    _exit(recorded && host.client.statistics().reports_lost == 0 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(host.client.report(denial()).recorded());
  CHECK(host.unacknowledged() == std::vector<std::uint32_t>{0, 0, 1});
}

}  // namespace
}  // namespace claimsd::testing
