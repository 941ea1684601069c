// The server over real sockets, with slow, hostile, numerous and disappearing clients.
#include "daemon/admin/http_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/admin/routes.h"
#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"

namespace claimsd::admin {
namespace {

http::Response echo(const http::Request& request) {
  http::Response response;
  response.content_type = "text/plain";
  response.body = std::string(request.method) + " " + std::string(request.path) + " " +
                  std::string(request.body);
  return response;
}

constexpr char kGet[] = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string post(std::size_t announced, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(announced) +
         "\r\n\r\n" + std::string(body);
}

TEMPLATE_TEST_CASE("a request reaches the handler and its response the client", "", AdminServer,
                   KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", echo));
  const auto response = ask(dir / "s", kGet);
  CHECK(status_of(response) == 200);
  CHECK(body_of(response) == "GET /x ");
  CHECK(response.find("Content-Type: text/plain\r\n") != std::string::npos);
  CHECK(response.find("Cache-Control: no-store\r\n") != std::string::npos);
}

TEMPLATE_TEST_CASE("a connection carries one request, and input after it is ignored", "",
                   AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", echo));
  const auto said = TestClient(dir / "s").send(kGet).send(kGet).rest();
  CHECK(said.find("Connection: close\r\n") != std::string::npos);
  CHECK(said.find("HTTP/1.1 ", 9) == std::string::npos);
}

TEMPLATE_TEST_CASE("a client that half-closes after its request is answered immediately", "",
                   AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(
      serve_by<TestType>(dir / "s", echo, {.idle_timeout = std::chrono::hours(1)}));
  for (int i = 0; i < 100; ++i) {
    TestClient client(dir / "s");
    client.send(kGet);
    ::shutdown(client.fd(), SHUT_WR);
    REQUIRE(body_of(client.rest()) == "GET /x ");
  }
}

TEMPLATE_TEST_CASE("the peer's uid comes from the kernel", "", AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", [](const http::Request& request) {
    http::Response response;
    response.body =
        request.peer ? std::to_string(request.peer->uid) + " " + std::to_string(request.peer->pid)
                     : "nobody";
    return response;
  }));
  CHECK(body_of(ask(dir / "s", kGet)) ==
        std::to_string(::getuid()) + " " + std::to_string(::getpid()));
}

TEMPLATE_TEST_CASE("a body of the maximum size is accepted, one byte more is rejected unread", "",
                   AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", echo));
  const std::string largest(typename TestType::Limits{}.body_bytes, 'b');
  CHECK(body_of(ask(dir / "s", post(largest.size(), largest))) == "POST /p " + largest);
  const auto refused = ask(dir / "s", post(largest.size() + 1, ""));
  CHECK(status_of(refused) == 413);
  CHECK(body_of(refused).find("\"code\":\"too_large\"") != std::string::npos);
}

TEMPLATE_TEST_CASE("a chunked body is rejected, because its pieces could not be wiped", "",
                   AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", echo));
  CHECK(status_of(ask(dir / "s",
                      "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n0\r\n\r\n")) == 411);
}

TEMPLATE_TEST_CASE("malformed requests are rejected, and the server continues", "", AdminServer,
                   KeepAliveServer) {
  const ScratchDirectory dir;
  // An incomplete request is kept until idle_timeout.
  const LoopThread server(
      serve_by<TestType>(dir / "s", echo, {.idle_timeout = std::chrono::seconds(1)}));
  const std::string huge(1 << 20, 'h');
  const std::string nonsense[] = {
      "\r\n\r\n\r\n",
      "GET\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client\r\n\r\n",
      std::string("\0\0\0\0\r\n\r\n", 8),
      "GET /x HTTP/1.1\r\n\r\n",
      "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      "GET /" + huge + " HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /x HTTP/1.1\r\nHost: a\r\nX: " + huge + "\r\n\r\n",
  };
  for (const auto& bytes : nonsense) {
    CAPTURE(bytes.substr(0, 60));
    TestClient client(dir / "s");
    client.send(bytes);
    ::shutdown(client.fd(), SHUT_WR);
    const auto said = client.rest();
    CHECK((said.empty() || status_of(said) >= 400));
    REQUIRE(status_of(ask(dir / "s", kGet)) == 200);
  }
}

TEMPLATE_TEST_CASE("a client that sends byte by byte is answered and does not delay others", "",
                   AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", echo));
  TestClient slow(dir / "s");
  const auto request = post(5, "hello");
  for (std::size_t i = 0; i < request.size(); ++i) {
    slow.send(std::string_view(request).substr(i, 1));
    if (i % 8 == 0) REQUIRE(status_of(ask(dir / "s", kGet)) == 200);
  }
  CHECK(body_of(slow.response()) == "POST /p hello");
}

TEMPLATE_TEST_CASE("a client that does not read its response does not delay others", "",
                   AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", [](const http::Request& request) {
    http::Response response;
    response.body = std::string(request.path == "/large" ? 8'000'000 : 10, 'r');
    return response;
  }));
  TestClient lazy(dir / "s");
  lazy.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int i = 0; i < 20; ++i) REQUIRE(body_of(ask(dir / "s", kGet)).size() == 10);
  CHECK(body_of(lazy.response()).size() == 8'000'000);
}

TEMPLATE_TEST_CASE("an idle connection is closed", "", AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(
      serve_by<TestType>(dir / "s", echo, {.idle_timeout = std::chrono::seconds(1)}));
  TestClient silent(dir / "s");
  TestClient half(dir / "s");
  half.send("GET /x HT");
  silent.rest();  // fails the test if the server has not closed it within 30 s
  half.rest();
}

TEMPLATE_TEST_CASE("an idle connection uses no CPU time", "", AdminServer, KeepAliveServer) {
  const ScratchDirectory dir;
  LoopThread server(serve_by<TestType>(dir / "s", echo));
  TestClient silent(dir / "s");
  TestClient half(dir / "s");
  half.send("GET /x HT");
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
  const auto before = server.cpu_time();
  pollfd never{half.fd(), POLLIN, 0};
  CHECK(::poll(&never, 1, 300) == 0);
  CHECK(server.cpu_time() - before < milliseconds(100));
}

TEMPLATE_TEST_CASE("clients that disconnect mid-request leave nothing behind", "", AdminServer,
                   KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(serve_by<TestType>(dir / "s", echo));
  for (int i = 0; i < 200; ++i) {
    TestClient(dir / "s").send(kGet);  // closed before the response
    TestClient(dir / "s").send(post(100, "only a part"));
  }
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
}

TEMPLATE_TEST_CASE("the server can be destroyed while clients are connected", "", AdminServer,
                   KeepAliveServer) {
  const ScratchDirectory dir;
  std::optional<LoopThread> server;
  server.emplace(serve_by<TestType>(dir / "s", echo));
  TestClient silent(dir / "s");
  TestClient half(dir / "s");
  half.send(post(100, "a part"));
  CHECK(status_of(ask(dir / "s", kGet)) == 200);  // the server has accepted both by now
  server.reset();
  CHECK(silent.rest().empty());
  CHECK(half.rest().empty());
}

TEMPLATE_TEST_CASE("an exception in a handler closes only its own connection", "", AdminServer,
                   KeepAliveServer) {
  const ScratchDirectory dir;
  const LoopThread server(
      serve_by<TestType>(dir / "s", [](const http::Request& request) -> http::Response {
        if (request.path == "/throw") throw std::bad_alloc();
        return {};
      }));
  CHECK(ask(dir / "s", "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n").empty());
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
}

TEST_CASE("a client that sends too slowly is closed at its deadline, and another takes its place") {
  const ScratchDirectory dir;
  const LoopThread server(
      serve(dir / "s", echo, {.slots = {.connections = 1}, .deadline = seconds(1)}));
  TestClient dripping(dir / "s");
  const auto start = std::chrono::steady_clock::now();
  dripping.send("GET / HTTP/1.1\r\nX: ");
  pollfd gone{.fd = dripping.fd(), .events = POLLIN, .revents = 0};
  while (::poll(&gone, 1, 100) == 0) dripping.send("x");
  CHECK(dripping.response().empty());
  const auto lasted = std::chrono::steady_clock::now() - start;
  CHECK(lasted >= seconds(1));
  CHECK(lasted < seconds(20));
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
}

TEST_CASE("the admin API over its socket: status, metrics, errors, HEAD") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", [](const http::Request& request) {
    return dispatch({.status = sample_status, .process = [] { return ProcessUsage{}; }}, request);
  }));
  CHECK(body_of(get(dir / "s", "/v1/status")).find("\"pid\":4711") != std::string::npos);
  CHECK(body_of(get(dir / "s", "/metrics")).find("claimsd_connections 12\n") != std::string::npos);
  CHECK(status_of(get(dir / "s", "/nothing")) == 404);
  CHECK(ask(dir / "s", "PUT /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            .find("Allow: GET, HEAD\r\n") != std::string::npos);
  const auto said =
      TestClient(dir / "s").send("HEAD /v1/status HTTP/1.1\r\nHost: a\r\n\r\n").rest();
  CHECK(status_of(said) == 200);
  CHECK(body_of(said).empty());
}

TEMPLATE_TEST_CASE("a descriptor that is not a listening socket is an error with a message", "",
                   AdminServer, KeepAliveServer) {
  auto loop = std::move(*loop::Loop::create());
  Fd plain(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto server = TestType::create(*loop, std::move(plain), echo);
  REQUIRE_FALSE(server);
  CHECK(server.error().message.find("listening socket") != std::string::npos);
}

}  // namespace
}  // namespace claimsd::admin
