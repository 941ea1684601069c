// Reports sent without CLAIMSD_AWAIT_RECORD: they do not block the caller, and losses are counted
// and sent with the next report.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/client/report_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

constexpr int kMaxUnsettled = 256;  // claimsd.h says so

// Receipts arrive asynchronously.
template <class Condition>
bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

bool recorded(const Client& client, std::uint64_t count) {
  return comes_true([&] { return client.statistics().reports_recorded == count; });
}
bool lost(const Client& client, std::uint64_t count) {
  return comes_true([&] { return client.statistics().reports_lost == count; });
}

TEST_CASE("a report without await_record is sent immediately and counted once it is recorded") {
  ReportHost host;
  host.registrar.held = true;
  const Answer answer = host.client.report(brief_denial());
  CHECK(answer.sent());
  CHECK_FALSE(answer.recorded());
  CHECK(answer.reason() == "sent");
  CHECK(comes_true([&] { return host.unacknowledged().size() == 1; }));
  CHECK(host.client.statistics().reports_recorded == 0);
  CHECK(host.client.statistics().reports_lost == 0);
  host.registrar.held = false;
  CHECK(recorded(host.client, 1));
}

TEST_CASE("reports do not block while the daemon delays its Welcome") {
  Host host([](Peer& peer) {
    while (peer.receive()) continue;
  });
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kMaxUnsettled; ++i) REQUIRE(host.client.report(brief_denial()).sent());
  CHECK(std::chrono::steady_clock::now() - start < 30s);  // the time-out of each
}

TEST_CASE("a report is sent right behind the Hello without a second call") {
  std::atomic<int> reports = 0;
  Host host([&reports](Peer& peer) {
    if (!peer.receive()) return;
    while (const auto frame = peer.receive()) reports += frame->as<proto::Report>() ? 1 : 0;
  });
  CHECK(host.client.report(brief_denial()).sent());
  CHECK(comes_true([&] { return reports == 1; }));
}

TEST_CASE(
    "reports beyond the limit of unacknowledged ones are rejected, counted and reported later") {
  ReportHost host;
  host.registrar.held = true;
  for (int i = 0; i < kMaxUnsettled; ++i) REQUIRE(host.client.report(brief_denial()).sent());
  for (int i = 0; i < 3; ++i) {
    const Answer why_not = host.client.report(brief_denial());
    CHECK_FALSE(why_not.sent());
    CHECK(why_not.reason() == "overloaded");
  }
  CHECK(host.client.statistics().reports_lost == 3);
  host.registrar.held = false;
  REQUIRE(recorded(host.client, kMaxUnsettled));
  CHECK(host.client.report(brief_denial()).sent());
  CHECK(recorded(host.client, kMaxUnsettled + 1));
  CHECK(host.unacknowledged().back() == 3);
}

TEST_CASE("a negative receipt counts as a lost report and is sent with the next report") {
  ReportHost host;
  host.registrar.reason = proto::Reason::kNotRecorded;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    host.client.report(brief_denial());
    REQUIRE(lost(host.client, i));
  }
  host.registrar.reason = proto::Reason::kOk;
  CHECK(host.client.report(brief_denial()).sent());
  CHECK(recorded(host.client, 1));
  CHECK(host.unacknowledged() == std::vector<std::uint32_t>{0, 1, 2, 3});
}

TEST_CASE("a report without a receipt before its timeout counts as lost") {
  ReportHost host;
  host.registrar.silent = true;
  ReportRequest refusal = brief_denial();
  refusal.timeout = 20ms;
  CHECK(host.client.report(refusal).sent());
  CHECK(lost(host.client, 1));
}

TEST_CASE("a report without a daemon is lost immediately and counted in the next report") {
  ReportHost host;
  host.host.daemon.stop();
  const Answer why_not = host.client.report(brief_denial());
  CHECK_FALSE(why_not.sent());
  CHECK(why_not.reason() == "no_daemon");
  host.host.daemon.start();
  CHECK(host.client.report(brief_denial()).sent());
  CHECK(recorded(host.client, 1));
  CHECK(host.unacknowledged() == std::vector<std::uint32_t>{1});
}

TEST_CASE("a daemon that takes no reports is sent none once it has said so") {
  std::atomic<int> reports = 0;
  Host host([&reports](Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      reports += frame->as<proto::Report>() ? 1 : 0;
      if (const auto query = frame->as<proto::Query>())
        peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
    }
  });
  SECTION("to a question") {
    REQUIRE(host.client.query("user").valid());
  }
  SECTION("to a first report") {
    host.client.report(brief_denial());
    REQUIRE(lost(host.client, 1));
    REQUIRE(comes_true([&] { return reports == 1; }));
  }
  const int before = reports;
  CHECK(comes_true([&] { return host.client.report(brief_denial()).reason() == "no_reports"; }));
  CHECK(reports == before);
}

TEST_CASE("a report that was pending when the daemon disconnected is sent again by a later call") {
  Registrar registrar;
  Host host([&registrar](Peer& peer) {
    if (peer.number() > 0) return registrar.serve(peer);
    welcome_with_reports(peer);
    peer.receive();
  });
  CHECK(host.client.report(brief_denial()).sent());
  CHECK(recorded(host.client, 1));
  CHECK(host.client.statistics().reports_lost == 0);
}

TEST_CASE("after a restart the next report finds the new daemon, and nothing is lost") {
  ReportHost host;
  CHECK(host.client.report(brief_denial()).sent());
  REQUIRE(recorded(host.client, 1));
  host.host.daemon.stop();
  host.host.daemon.start();
  CHECK(host.client.report(brief_denial()).sent());
  CHECK(recorded(host.client, 2));
  CHECK(host.client.statistics().reports_lost == 0);
}

TEST_CASE("threads share the way, and every report is recorded once") {
  ReportHost host;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&host] {
      for (int j = 0; j < 30; ++j) host.client.report(brief_denial());
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(recorded(host.client, 240));
  CHECK(host.unacknowledged() == std::vector<std::uint32_t>(240, 0));
}

TEST_CASE("a forked child reports over a connection of its own, and what is out is the parent's") {
  ReportHost host;
  host.registrar.held = true;
  CHECK(host.client.report(brief_denial()).sent());
  REQUIRE(comes_true([&] { return host.unacknowledged().size() == 1; }));
  const pid_t child = fork();
  if (child == 0) {
    const bool sent = host.client.report(brief_denial()).sent();
    const auto counted = host.client.statistics();
    _exit(sent && counted.reports_lost == 0 && counted.reports_recorded == 0 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  host.registrar.held = false;
  CHECK(recorded(host.client, 1));
}

// AddressSanitizer's allocator (of GCC 12) keeps its locks through a fork: a child would wait for
// one of them for ever, whatever the library does.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("children forked while another thread reports neither hang nor crash") {
  ReportHost host;
  std::atomic<bool> done = false;
  std::thread reporter([&] {
    while (!done) host.client.report(brief_denial());
  });
  int well = 0;
  constexpr int kChildren = 50;
  for (int i = 0; i < kChildren; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(30);
      bool sent = false;
      {
        const Client own = std::move(host.host.client);
        sent = own.report(brief_denial()).sent();
      }
      _exit(sent ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status == 0) ++well;
  }
  done = true;
  reporter.join();
  CHECK(well == kChildren);
}
#endif

}  // namespace
}  // namespace claimsd::testing
