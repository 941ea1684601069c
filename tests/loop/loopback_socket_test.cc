#include "daemon/loop/loopback_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/support/catch.h"

namespace claimsd::loop {
namespace {

TEST_CASE("it listens on loopback, and any process on the host can connect") {
  const auto listening = listen_on_loopback("127.0.0.1:0");
  REQUIRE(listening);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(getsockname(listening->get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  CHECK(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK);
  const Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
}

TEST_CASE("a non-loopback or malformed address is an error") {
  for (const char* const address :
       {"0.0.0.0:9464", "10.0.0.1:9464", "[::]:9464", "[fe80::1]:9464", "localhost:9464",
        "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:9464 ", ":9464",
        "[127.0.0.1]:9464", "[::ffff:10.0.0.1]:1", "::1:9464"}) {
    CAPTURE(address);
    const auto refused = listen_on_loopback(address);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("127.0.0.1:9464 or [::1]:9464") != std::string::npos);
  }
}

TEST_CASE("an address in use is an error that says so") {
  const auto first = listen_on_loopback("127.0.0.1:0");
  REQUIRE(first);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(first->get(), reinterpret_cast<sockaddr*>(&address), &size);
  const auto second = listen_on_loopback("127.0.0.1:" + std::to_string(ntohs(address.sin_port)));
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("Address already in use") != std::string::npos);
}

TEST_CASE("the reach of a socket is that of its address") {
  const auto reach_on = [](const char* address) {
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    REQUIRE(inet_pton(AF_INET, address, &to.sin_addr) == 1);
    REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return reach_of(fd.get());
  };
  CHECK(reach_on("127.0.0.1") == Reach::kLoopback);
  CHECK(reach_on("127.9.9.9") == Reach::kLoopback);
  CHECK(reach_on("0.0.0.0") == Reach::kNetwork);
  const Fd v6(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (v6) CHECK(reach_of(v6.get()) == Reach::kNetwork);  // unbound: ::
  const Fd unix_socket(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  CHECK(reach_of(unix_socket.get()) == Reach::kUnix);
  CHECK(reach_of(-1) == Reach::kNetwork);
}

}  // namespace
}  // namespace claimsd::loop
