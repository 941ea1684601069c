// The server over real sockets, with slow, hostile, numerous and disappearing clients.
#include "daemon/http/server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>

#include "daemon/http/loopback_host.h"
#include "tests/support/catch.h"
#include "tests/support/http_harness.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::http {
namespace {

using namespace claimsd::testing;

Response echo(const Request& request) {
  Response response;
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

TEST_CASE("a request reaches the handler and its response the client") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo));
  const auto response = ask(dir / "s", kGet);
  CHECK(status_of(response) == 200);
  CHECK(body_of(response) == "GET /x ");
  CHECK(response.find("Content-Type: text/plain\r\n") != std::string::npos);
  CHECK(response.find("Cache-Control: no-store\r\n") != std::string::npos);
}

TEST_CASE("a connection carries one request, and input after it is ignored") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo));
  const auto said = TestClient(dir / "s").send(kGet).send(kGet).rest();
  CHECK(said.find("Connection: close\r\n") != std::string::npos);
  CHECK(said.find("HTTP/1.1 ", 9) == std::string::npos);
}

TEST_CASE("a client that half-closes after its request is answered immediately") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.idle_timeout = std::chrono::hours(1)}));
  for (int i = 0; i < 100; ++i) {
    TestClient client(dir / "s");
    client.send(kGet);
    ::shutdown(client.fd(), SHUT_WR);
    REQUIRE(body_of(client.rest()) == "GET /x ");
  }
}

TEST_CASE("the peer's uid comes from the kernel") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", [](const Request& request) {
    Response response;
    response.body =
        request.peer ? std::to_string(request.peer->uid) + " " + std::to_string(request.peer->pid)
                     : "nobody";
    return response;
  }));
  CHECK(body_of(ask(dir / "s", kGet)) ==
        std::to_string(::getuid()) + " " + std::to_string(::getpid()));
}

TEST_CASE("a body of the maximum size is accepted, one byte more is rejected unread") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo));
  const std::string largest(Limits{}.body_bytes, 'b');
  CHECK(body_of(ask(dir / "s", post(largest.size(), largest))) == "POST /p " + largest);
  const auto refused = ask(dir / "s", post(largest.size() + 1, ""));
  CHECK(status_of(refused) == 413);
  CHECK(body_of(refused).find("\"code\":\"too_large\"") != std::string::npos);
}

TEST_CASE("a chunked body is rejected, because its pieces could not be wiped") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo));
  CHECK(status_of(ask(dir / "s",
                      "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "3\r\nabc\r\n0\r\n\r\n")) == 411);
}

TEST_CASE("malformed requests are rejected, and the server continues") {
  const ScratchDirectory dir;
  // An incomplete request is kept until idle_timeout.
  const LoopThread server(serve(dir / "s", echo, {.idle_timeout = std::chrono::seconds(1)}));
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

TEST_CASE("a client that sends byte by byte is answered and does not delay others") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo));
  TestClient slow(dir / "s");
  const auto request = post(5, "hello");
  for (std::size_t i = 0; i < request.size(); ++i) {
    slow.send(std::string_view(request).substr(i, 1));
    if (i % 8 == 0) REQUIRE(status_of(ask(dir / "s", kGet)) == 200);
  }
  CHECK(body_of(slow.response()) == "POST /p hello");
}

TEST_CASE("a client that does not read its response does not delay others") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", [](const Request& request) {
    Response response;
    response.body = std::string(request.path == "/large" ? 8'000'000 : 10, 'r');
    return response;
  }));
  TestClient lazy(dir / "s");
  lazy.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
  for (int i = 0; i < 20; ++i) REQUIRE(body_of(ask(dir / "s", kGet)).size() == 10);
  CHECK(body_of(lazy.response()).size() == 8'000'000);
}

TEST_CASE("clients above the connection limit wait and are served when another leaves") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.idle_timeout = std::chrono::hours(1)}));
  std::deque<TestClient> half;
  for (unsigned i = 0; i < Limits{}.connections; ++i) {
    half.emplace_back(dir / "s").send("GET /x HTTP/1.1\r\n");
  }
  TestClient late(dir / "s");
  late.send(kGet);
  pollfd waiting{late.fd(), POLLIN, 0};
  CHECK(::poll(&waiting, 1, 100) == 0);
  SECTION("it was served") {
    CHECK(status_of(half.front().send("Host: a\r\n\r\n").rest()) == 200);
  }
  SECTION("it closed the connection") {
    half.pop_front();
  }
  CHECK(status_of(late.response()) == 200);
}

TEST_CASE("an idle connection is closed") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.idle_timeout = std::chrono::seconds(1)}));
  TestClient silent(dir / "s");
  TestClient half(dir / "s");
  half.send("GET /x HT");
  silent.rest();  // fails the test if the server has not closed it within 30 s
  half.rest();
}

TEST_CASE("an idle connection uses no CPU time") {
  const ScratchDirectory dir;
  LoopThread server(serve(dir / "s", echo));
  TestClient silent(dir / "s");
  TestClient half(dir / "s");
  half.send("GET /x HT");
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
  const auto before = server.cpu_time();
  pollfd never{half.fd(), POLLIN, 0};
  CHECK(::poll(&never, 1, 300) == 0);
  CHECK(server.cpu_time() - before < milliseconds(100));
}

TEST_CASE("clients that disconnect mid-request leave nothing behind") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo));
  for (int i = 0; i < 200; ++i) {
    TestClient(dir / "s").send(kGet);  // closed before the response
    TestClient(dir / "s").send(post(100, "only a part"));
  }
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
}

TEST_CASE("the server can be destroyed while clients are connected") {
  const ScratchDirectory dir;
  std::optional<LoopThread> server;
  server.emplace(serve(dir / "s", echo));
  TestClient silent(dir / "s");
  TestClient half(dir / "s");
  half.send(post(100, "a part"));
  CHECK(status_of(ask(dir / "s", kGet)) == 200);  // the server has accepted both by now
  server.reset();
  CHECK(silent.rest().empty());
  CHECK(half.rest().empty());
}

TEST_CASE("an exception in a handler closes only its own connection") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", [](const Request& request) -> Response {
    if (request.path == "/throw") throw std::bad_alloc();
    return {};
  }));
  CHECK(ask(dir / "s", "GET /throw HTTP/1.1\r\nHost: a\r\n\r\n").empty());
  CHECK(status_of(ask(dir / "s", kGet)) == 200);
}

TEST_CASE("a client that sends too slowly is closed at its deadline, and another takes its place") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.connections = 1, .deadline = seconds(1)}));
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

TEST_CASE("with keep-alive a connection carries many requests, pipelined or not") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.keep_alive = true}));
  TestClient client(dir / "s");
  for (int i = 0; i < 100; ++i) REQUIRE(body_of(client.send(kGet).response()) == "GET /x ");
  client.send(kGet).send(kGet).send(kGet);
  for (int i = 0; i < 3; ++i) CHECK(body_of(client.response()) == "GET /x ");
}

TEST_CASE("with keep-alive the deadline counts from the end of the previous response") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.deadline = seconds(1), .keep_alive = true}));
  TestClient client(dir / "s");
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < milliseconds(1500)) {
    REQUIRE(status_of(client.send(kGet).response()) == 200);
  }
  client.rest();  // fails the test if the server has not closed it within 30 s
}

TEST_CASE("a handler may close a kept-alive connection after its response") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s",
                                [](const Request&) {
                                  Response response;
                                  response.close = true;
                                  return response;
                                },
                                {.keep_alive = true}));
  CHECK(TestClient(dir / "s").send(kGet).rest().find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("a server without bodies rejects every announced body and closes the connection") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.body_bytes = 0, .keep_alive = true}));
  for (const std::string head : {"Content-Length: 5", "Transfer-Encoding: chunked",
                                 "Content-Length: x", "Content-Length: 0x0"}) {
    CAPTURE(head);
    const auto said = TestClient(dir / "s")
                          .send("POST /p HTTP/1.1\r\nHost: a\r\n" + head + "\r\n\r\nhello" + kGet)
                          .rest();
    CHECK(status_of(said) == 400);
    CAPTURE(said);
    // libmicrohttpd 0.9.75 repeats the head of its own response to a malformed Content-Length.
    CHECK(said.find("HTTP/1.1 200") == std::string::npos);
  }
  CHECK(status_of(ask(dir / "s", post(0, ""))) == 200);
}

TEST_CASE("a uid's connections above its limit are closed at once") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", echo, {.connections_per_uid = 2, .keep_alive = true}));
  TestClient first(dir / "s");
  std::optional<TestClient> second(dir / "s");
  REQUIRE(status_of(first.send(kGet).response()) == 200);
  REQUIRE(status_of(second->send(kGet).response()) == 200);
  CHECK(TestClient(dir / "s").send(kGet).rest().empty());
  second.reset();
  // The server notices the end of the second connection at its own pace.
  while (ask(dir / "s", kGet).empty()) {
  }
}

TEST_CASE("headers reach the handler in order, with duplicates") {
  const ScratchDirectory dir;
  const LoopThread server(serve(dir / "s", [](const Request& request) {
    Response response;
    for (const auto& [name, value] : request.headers)
      response.body += std::string(name) + "=" + std::string(value) + ";";
    return response;
  }));
  CHECK(body_of(ask(dir / "s", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\nY:\r\n\r\n")) ==
        "Host=a;X=1;x=2;Y=;");
}

TEST_CASE("a raw path is passed as it was sent") {
  const ScratchDirectory dir;
  const std::string request = "GET /a%2fb%00/../c?d=%41 HTTP/1.1\r\nHost: a\r\n\r\n";
  const LoopThread server(serve(dir / "s", echo, {.raw_path = true}));
  CHECK(body_of(ask(dir / "s", request)) == "GET /a%2fb%00/../c ");
}

TEST_CASE("only names of the loopback pass the Host check") {
  for (const char* const host :
       {"localhost", "localhost:9464", "127.0.0.1", "127.1.2.3:1", "[::1]:80"})
    CHECK(names_loopback(host));
  for (const char* const host :
       {"", "evil.example", "127.a.b.evil", "127.0.0.1.evil.example", "localhost.evil.example",
        "localhost:80x", "[::2]", "127.0.0.1:123456"})
    CHECK_FALSE(names_loopback(host));
}

TEST_CASE("a descriptor that is not a listening socket is an error with a message") {
  auto loop = std::move(*loop::Loop::create());
  Fd plain(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto server = Server::create(*loop, std::move(plain), echo);
  REQUIRE_FALSE(server);
  CHECK(server.error().message.find("listening socket") != std::string::npos);
}

}  // namespace
}  // namespace claimsd::http
