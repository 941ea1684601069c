#include <sys/resource.h>

#include <atomic>
#include <thread>

#include "daemon/loop/prepare.h"
#include "daemon/loop/timer.h"
#include "daemon/upstream/curl_memory.h"
#include "daemon/upstream/fetcher.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

std::string token_number(int i) {
  return "header.payload" + std::to_string(i) + ".signature";
}

TEST_CASE("consecutive requests reuse one connection") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "ok")});
  for (int i = 0; i < 20; ++i) CHECK(fetching.fetch().failure == Reason::kOk);
  CHECK(server.requests("ok") == 20);
  CHECK(server.connections("ok") == 1);
}

TEST_CASE("a connection closed by the server in between is replaced without an error") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "stale-close")});
  REQUIRE(fetching.fetch().failure == Reason::kOk);
  server.get("/_wait?mode=stale-close&count=1&in_flight=0");  // the server has closed it
  CHECK(fetching.fetch().failure == Reason::kOk);
  CHECK(server.connections("stale-close") == 2);
}

TEST_CASE("a connection closed by the server does not keep the loop busy") {
  test::FaultServer& server = fresh_fault_server();
  const auto library = CurlLibrary::create();
  REQUIRE(library);
  const auto loop = test::new_loop();
  NullLog log;
  std::vector<Target> targets;
  targets.push_back(check_target(upstream_of(server, "stale-close")).value());
  std::size_t completed = 0;
  auto fetcher = Fetcher::create(*loop, std::move(targets), log,
                                 [&](claims::FlightId, claims::FetchOutcome out) {
                                   completed += out.failure == Reason::kOk ? 1 : 0;
                                 });
  REQUIRE(fetcher);
  (*fetcher)->start({1, 0, loop::Loop::hrtime()}, kToken);
  test::run_until(*loop, [&] { return completed == 1; });
  server.get("/_wait?mode=stale-close&count=1&in_flight=0");  // the server has closed it
  std::size_t turns = 0;
  const loop::Prepare count(*loop, [&] { ++turns; });
  loop::Timer enough(*loop, [&] { loop->stop(); });
  enough.start(milliseconds(50));
  loop->run();
  CHECK(turns < 20);
}

TEST_CASE("a connection closed at the moment of reuse is retried once, on a new connection") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "stale-race")});
  REQUIRE(fetching.fetch().failure == Reason::kOk);
  CHECK(fetching.fetch().failure == Reason::kOk);
  CHECK(server.requests("stale-race") == 3);
}

TEST_CASE("a connection reset at the moment of reuse is retried too") {
  test::FaultServer& server = fresh_fault_server();
  server.post("/_script/race", R"([{"mode":"ok"},{"mode":"reset"},{"mode":"ok"}])");
  Fetching fetching({upstream_of(server, "script-race")});
  REQUIRE(fetching.fetch().failure == Reason::kOk);
  const claims::FetchOutcome outcome = fetching.fetch();
  INFO(outcome.detail);
  CHECK(outcome.failure == Reason::kOk);
  CHECK(server.requests("script-race") == 3);
}

TEST_CASE("a new connection that the server closes is not retried") {
  test::FaultServer& server = fresh_fault_server();
  Fetching fetching({upstream_of(server, "close")});
  CHECK(fetching.fetch().failure == Reason::kUpstreamProtocol);
  CHECK(server.requests("close") == 1);
}

TEST_CASE("after each kind of failure the next flight succeeds") {
  test::FaultServer& server = fresh_fault_server();
  const std::string fault =
      GENERATE("reset", "cut-body", "endless-body", "huge-header", "gzip", "silence");
  INFO(fault);
  server.post("/_script/once", R"([{"mode":")" + fault + R"("},{"mode":"ok"}])");
  UpstreamSettings settings = upstream_of(server, "script-once");
  if (fault == "silence") settings.timeout = milliseconds(150);
  Fetching fetching({settings});
  CHECK(fetching.fetch().failure != Reason::kOk);
  const claims::FetchOutcome second = fetching.fetch();
  CHECK(second.failure == Reason::kOk);
  CHECK(second.status == 200);
}

TEST_CASE("200 concurrent flights each get the answer for their own token") {
  constexpr int kFlights = 200;
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "echo");
  settings.connections = GENERATE(4U, 256U);
  Fetching fetching({settings});
  std::vector<std::string> alone;
  for (int i = 0; i < kFlights; ++i) {
    alone.emplace_back(fetching.fetch(token_number(i)).body.view());
  }
  std::vector<claims::FlightId> ids;
  for (int i = 0; i < kFlights; ++i) ids.push_back(fetching.start(token_number(i)));
  fetching.wait_for_all();
  for (std::size_t i = 0; i < kFlights; ++i) {
    CHECK(fetching.completed[ids[i]].body.view() == alone[i]);
    CHECK((i == 0 || alone[i] != alone[i - 1]));
  }
}

TEST_CASE("a flight uses the requested URL, and the next upstream keeps its id") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings first = upstream_of(server, "status-503");
  UpstreamSettings second = upstream_of(server, "echo");
  second.next_url = true;
  Fetching fetching({first, second, upstream_of(server, "401")});
  CHECK(fetching.fetch(kToken, 0, 0).status == 503);
  CHECK(fetching.fetch(kToken, 0, 1).status == 200);
  CHECK(fetching.fetch(kToken, 1, 0).status == 401);
  CHECK(fetching.fetch(kToken, 0, 2).failure == proto::Reason::kInternal);
}

TEST_CASE("slow responses do not delay fast ones") {
  constexpr int kFlights = 100;
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings slow = upstream_of(server, "gate");
  UpstreamSettings fast = upstream_of(server, "echo");
  SECTION("of the same upstream") {
    server.post("/_script/mixed", R"([{"mode":"gate"},{"mode":"echo"}])");
    slow = upstream_of(server, "script-mixed");
    slow.connections = 8;
    Fetching fetching({slow});
    const claims::FlightId held = fetching.start();
    fetching.wait_for_server(server, "script-mixed", 1);
    for (int i = 0; i < kFlights; ++i) CHECK(fetching.fetch(token_number(i)).status == 200);
    CHECK_FALSE(fetching.completed.contains(held));
    server.post("/_open");
    CHECK(fetching.wait_for(held).status == 200);
  }
  SECTION("of another upstream whose connections are all in use") {
    Fetching fetching({slow, fast});
    for (int i = 0; i < kFlights; ++i) fetching.start(token_number(i), 0);
    for (int i = 0; i < kFlights; ++i) CHECK(fetching.fetch(token_number(i), 1).status == 200);
    CHECK(fetching.completed.size() == kFlights);
    server.post("/_open");
    fetching.wait_for_all();
  }
}

TEST_CASE("concurrent requests are limited by the number of connections, and the rest wait") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "gate");
  settings.connections = 3;
  Fetching fetching({settings});
  for (int i = 0; i < 12; ++i) fetching.start(token_number(i));
  fetching.wait_for_server(server, "gate", 3);
  CHECK(fetching.completed.empty());
  server.post("/_open");
  fetching.wait_for_all();
  CHECK(server.most_at_once("gate") == 3);
  CHECK(server.requests("gate") == 12);
}

TEST_CASE("a flight's timeout includes the wait for a connection") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "silence");
  settings.connections = 1;
  settings.timeout = milliseconds(300);
  Fetching fetching({settings});
  for (int i = 0; i < 5; ++i) fetching.start(token_number(i));
  fetching.wait_for_all();
  for (const auto& [id, outcome] : fetching.completed) {
    CHECK(outcome.failure == Reason::kUpstreamTimeout);
    CHECK(outcome.took >= milliseconds(290));
    CHECK(outcome.took < seconds(10));  // sequentially, with 20 s each, it would be longer
  }
  CHECK(server.requests("silence") <= 2);
}

// Rare in practice: all transfers are overdue, but while the first is canceled the responses of the
// others arrive. The canceled one makes room for another, and curl then checks every transfer with
// a timeout.
TEST_CASE(
    "a transfer that completes while another is canceled is not canceled, nor is its successor") {
  constexpr unsigned kRunning = 8;
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "gate");
  settings.connections = kRunning;
  settings.timeout = milliseconds(800);
  settings.connect_timeout = milliseconds(1200);  // when curl checks a transfer, connected or not
  const auto library = CurlLibrary::create();
  REQUIRE(library);
  const auto loop = test::new_loop();
  NullLog log;
  std::vector<Target> targets;
  targets.push_back(check_target(settings).value());
  std::vector<claims::FlightId> cut_off;
  std::size_t completed = 0;
  Duration begin{};
  // Blocks the loop until that moment.
  const auto wait_until = [](Duration moment) {
    while (loop::Loop::hrtime() <= moment) std::this_thread::sleep_for(milliseconds(5));
  };
  const auto count = [&](claims::FlightId id, const claims::FetchOutcome& outcome) {
    if (outcome.failure != Reason::kOk) cut_off.push_back(id);
    if (++completed > 1) return;
    server.post("/_open");
    server.get("/_wait?mode=gate&in_flight=0");
    wait_until(begin + settings.connect_timeout);
  };
  auto fetcher = Fetcher::create(*loop, std::move(targets), log, count);
  REQUIRE(fetcher);
  claims::FlightId next = 1;
  const auto start_some = [&] {
    for (unsigned i = 0; i < kRunning; ++i)
      (*fetcher)->start({next++, 0, loop::Loop::hrtime()}, kToken);
  };
  start_some();
  test::run_until(*loop, [&] { return server.requests("gate") == static_cast<int>(kRunning); });
  begin = loop::Loop::hrtime();
  wait_until(begin + settings.timeout);
  start_some();
  test::run_until(*loop, [&] { return completed >= 2 * kRunning; });
  CHECK(completed == 2 * kRunning);
  CHECK(cut_off.size() == 1);
}

TEST_CASE("each flight has its own deadline, whenever it started") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "silence");
  settings.timeout = milliseconds(300);
  Fetching fetching({settings, upstream_of(server, "delay-150")});
  for (int i = 0; i < 4; ++i) {
    fetching.start(token_number(i), 0);
    fetching.fetch(token_number(i), 1);
  }
  fetching.wait_for_all();
  for (const auto& [id, outcome] : fetching.completed) CHECK(outcome.took < seconds(10));
}

TEST_CASE("a server with a full backlog fails after connect_timeout") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "x", "tcp_full");
  settings.connect_timeout = milliseconds(200);
  Fetching fetching({settings});
  CHECK(fetching.fetch().failure == Reason::kUpstreamTimeout);
}

TEST_CASE("a refused connection has its own reason") {
  UpstreamSettings settings = upstream_of(fresh_fault_server(), "ok");
  settings.url = "http://127.0.0.1:1";
  Fetching fetching({settings});
  const claims::FetchOutcome outcome = fetching.fetch();
  CHECK(outcome.failure == Reason::kUpstreamConnect);
  CHECK(outcome.detail.find("127.0.0.1") != std::string::npos);
}

TEST_CASE("an unknown upstream is a failed outcome, not a crash") {
  Fetching fetching({upstream_of(fresh_fault_server(), "ok")});
  CHECK(fetching.fetch(kToken, 7).failure == Reason::kInternal);
}

TEST_CASE("an outcome may start the next flight") {
  const auto loop = test::new_loop();
  test::FaultServer& server = fresh_fault_server();
  NullLog log;
  int completed = 0;
  std::unique_ptr<FetchThread> upstream;
  upstream = std::move(*FetchThread::create(
      {upstream_of(server, "ok")},
      [&](claims::FlightId id, const claims::FetchOutcome&) {
        if (++completed < 5) upstream->start(id + 1, 0, 0, Secret(kToken), claims::Connect::kReuse);
      },
      *loop, log));
  upstream->start(1, 0, 0, Secret(kToken), claims::Connect::kReuse);
  test::run_until(*loop, [&] { return completed == 5; });
}

TEST_CASE("destruction cancels requests in flight immediately and delivers nothing more") {
  test::FaultServer& server = fresh_fault_server();
  UpstreamSettings settings = upstream_of(server, "silence");
  settings.timeout = seconds(300);
  Fetching fetching({settings, upstream_of(server, "ok")});
  for (int i = 0; i < 50; ++i) fetching.start(token_number(i));
  fetching.wait_for_server(server, "silence", 16);
  // These may or may not reach the fetch thread while it is being stopped.
  for (int i = 0; i < 50; ++i) fetching.start(token_number(i), 1);
  const std::size_t before = fetching.completed.size();
  const Duration begin = loop::Loop::hrtime();
  fetching.destroy();
  CHECK(loop::Loop::hrtime() - begin < seconds(30));
  test::settle(*fetching.loop);
  CHECK(fetching.completed.size() == before);
}

}  // namespace
}  // namespace claimsd::upstream
