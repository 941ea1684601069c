// Clients that occupy connections: half-open ones, abandoned long polls, and requests that leave
// libmicrohttpd no memory. Admin actions and other clients are served all the same.
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <deque>
#include <future>
#include <mutex>
#include <semaphore>

#include "daemon/admin/http_server.h"
#include "daemon/http/deferred_response.h"
#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

using std::chrono::steady_clock;

constexpr char kGet[] = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr char kAction[] =
    "POST /action HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}";
constexpr char kPoll[] = "GET /poll HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Timeouts that cannot be the reason for a response in time.
HttpLimits patient(const SlotLimits& slots = {}) {
  return {.slots = slots,
          .idle_timeout = std::chrono::hours(1),
          .request_timeout = std::chrono::hours(1),
          .deadline = std::chrono::hours(1),
          .is_action = [](const http::Request& request) { return request.path == "/action"; }};
}

// Responds to everything but /poll, whose responses never come. Counts those that were abandoned.
struct Polls {
  std::atomic<int> waiting = 0;
  std::atomic<int> abandoned = 0;
  http::Handler handler() {
    return [this](const http::Request& request) {
      http::Response response;
      if (request.path != "/poll") return response;
      response.later = std::make_shared<http::DeferredResponse>();
      response.later->on_abandoned([this] { ++abandoned; });
      ++waiting;
      return response;
    };
  }
};

void wait_until(const std::function<bool()>& holds) {
  const auto end = steady_clock::now() + std::chrono::seconds(20);
  while (!holds()) {
    REQUIRE(steady_clock::now() < end);
    ::poll(nullptr, 0, 1);
  }
}

TEST_CASE("clients that send no whole request delay no other client") {
  const ScratchDirectory dir;
  Polls polls;
  const LoopThread server(serve(dir / "s", polls.handler(), patient()));
  std::deque<TestClient> half;
  for (int i = 0; i < 100; ++i) half.emplace_back(dir / "s").send("POST /action HTTP/1.1\r\n");
  CHECK(status_of(ask(dir / "s", kAction)) == 200);
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
  CHECK(half.front().rest().empty());  // displaced
}

TEST_CASE(
    "an admin action is served that comes in one moment with many clients that send nothing") {
  const ScratchDirectory dir;
  std::binary_semaphore blocks(0);
  std::binary_semaphore blocked(0);
  const auto handler = [&](const http::Request& request) {
    if (request.path == "/x") {
      blocked.release();
      blocks.acquire();  // meanwhile the loop accepts no one
    }
    return http::Response();
  };
  const LoopThread server(serve(dir / "s", handler, patient()));
  auto first = std::async(std::launch::async, [&] { return ask(dir / "s", kGet); });
  blocked.acquire();
  std::deque<TestClient> half;
  for (int i = 0; i < 100; ++i) half.emplace_back(dir / "s").send("POST /action HTTP/1.1\r\n");
  TestClient action(dir / "s");
  action.send(kAction);
  blocks.release();
  CHECK(status_of(action.rest()) == 200);
  CHECK(status_of(first.get()) == 200);
}

TEST_CASE(
    "with all connections in use by requests, an admin action is served and others are refused") {
  const ScratchDirectory dir;
  Polls polls;
  const LoopThread server(
      serve(dir / "s", polls.handler(), patient({.connections = 4, .per_uid = 4, .actions = 1})));
  std::deque<TestClient> waiting;
  for (int i = 0; i < 4; ++i) waiting.emplace_back(dir / "s").send(kPoll);
  wait_until([&] { return polls.waiting == 4; });
  for (int i = 0; i < 10; ++i) {
    CHECK(status_of(ask(dir / "s", kAction)) == 200);
    CHECK(status_of(ask(dir / "s", kGet)) == 503);
  }
}

TEST_CASE("a client that leaves while its response is deferred gives its connection back") {
  const ScratchDirectory dir;
  Polls polls;
  const LoopThread server(
      serve(dir / "s", polls.handler(), patient({.connections = 2, .per_uid = 2, .actions = 0})));
  for (int round = 1; round <= 20; ++round) {
    {
      TestClient one(dir / "s");
      TestClient other(dir / "s");
      one.send(kPoll);
      other.send(kPoll);
      wait_until([&] { return polls.waiting == 2 * round; });
    }
    wait_until([&] { return polls.abandoned == 2 * round; });
    CHECK(status_of(ask(dir / "s", kGet)) == 200);
  }
}

TEST_CASE("a client that only finished sending keeps its deferred response") {
  const ScratchDirectory dir;
  std::shared_ptr<http::DeferredResponse> later;
  std::mutex mutex;
  loop::Async* deliver = nullptr;
  const LoopThread server([&](loop::Loop& loop) -> std::shared_ptr<void> {
    struct Both {
      std::shared_ptr<void> server;
      loop::Async async;
    };
    auto async = loop::Async::create(loop, [&] {
      const std::lock_guard lock(mutex);
      later->fulfil({});
    });
    const http::Handler handler = [&](const http::Request&) {
      const std::lock_guard lock(mutex);
      later = std::make_shared<http::DeferredResponse>();
      http::Response response;
      response.later = later;
      return response;
    };
    auto both =
        std::make_shared<Both>(Both{serve(dir / "s", handler, patient())(loop), std::move(*async)});
    deliver = &both->async;
    return both;
  });
  TestClient client(dir / "s");
  client.send(kGet);
  ::shutdown(client.fd(), SHUT_WR);
  wait_until([&] {
    const std::lock_guard lock(mutex);
    return later != nullptr;
  });
  ::poll(nullptr, 0, 50);  // long enough for a hang-up to be seen
  deliver->notify();
  CHECK(status_of(client.rest()) == 200);
}

TEST_CASE("a request with too many parameters or headers is refused at once") {
  const ScratchDirectory dir;
  Polls polls;
  const LoopThread server(serve(dir / "s", polls.handler(), patient()));
  std::string parameters = "a=1";
  std::string headers;
  for (int i = 0; i < 3000; ++i) {
    parameters += "&a=1";
    if (i < 500) headers += "A: 1\r\n";
  }
  const auto begin = steady_clock::now();
  for (int i = 0; i < 40; ++i) {  // more than there are connections
    CHECK(status_of(TestClient(dir / "s")
                        .send("GET /x?" + parameters + " HTTP/1.1\r\nHost: a\r\n\r\n")
                        .rest()) == 414);
    CHECK(status_of(TestClient(dir / "s")
                        .send("GET /x HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n")
                        .rest()) >= 400);
  }
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
  CHECK(steady_clock::now() - begin < std::chrono::seconds(10));
  CHECK(status_of(ask(dir / "s", "GET /x?" + parameters.substr(0, 4 * 32 - 1) +
                                     " HTTP/1.1\r\nHost: a\r\n\r\n")) == 200);
}

TEST_CASE("a client has request_timeout to send a whole request") {
  const ScratchDirectory dir;
  Polls polls;
  HttpLimits limits = patient();
  limits.request_timeout = std::chrono::seconds(1);
  const LoopThread server(serve(dir / "s", polls.handler(), limits));
  TestClient half(dir / "s");
  TestClient waiting(dir / "s");
  waiting.send(kPoll);
  half.send("GET /x HTTP/1.1\r\nX: ");
  CHECK(half.rest().empty());
  pollfd gone{.fd = waiting.fd(), .events = POLLIN, .revents = 0};
  CHECK(::poll(&gone, 1, 100) == 0);  // a whole request is not cut off
}

TEST_CASE("between two runs of a paused server, the loop is free") {
  const ScratchDirectory dir;
  Polls polls;
  HttpLimits limits = patient();
  limits.pause = milliseconds(20);
  const LoopThread server(serve(dir / "s", polls.handler(), limits));
  const auto begin = steady_clock::now();
  for (int i = 0; i < 10; ++i) CHECK(status_of(ask(dir / "s", kGet)) == 200);
  CHECK(steady_clock::now() - begin >= std::chrono::milliseconds(180));
}

}  // namespace
}  // namespace claimsd::admin
