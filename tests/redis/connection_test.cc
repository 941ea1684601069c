// Against a server that sends prepared bytes, or nothing.
#include "daemon/redis/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "tests/support/catch.h"

namespace claimsd::redis {
namespace {

// Accepts connections and sends `bytes` on each.
class Stub {
 public:
  explicit Stub(std::string bytes) : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener_.get(), 16) == 0);
    REQUIRE(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, text = std::move(bytes)] {
      std::vector<Fd> open;
      for (;;) {
        Fd peer(accept(listener_.get(), nullptr, nullptr));
        if (!peer) return;
        static_cast<void>(::send(peer.get(), text.data(), text.size(), MSG_NOSIGNAL));
        open.push_back(std::move(peer));
      }
    });
  }
  ~Stub() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  Endpoint endpoint() const { return {"127.0.0.1", port_, false}; }

 private:
  Fd listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

struct Client {
  SystemClock clock;
  Fd stop{eventfd(0, EFD_CLOEXEC)};
  Wait wait{clock, stop.get()};
  Resolver resolver;
  Credentials credentials = read_credentials({}).value();

  BootTime in(Duration time) const { return clock.now().boot + time; }
  Result<Connection> open(const Endpoint& endpoint, Duration time = seconds(5)) {
    return Connection::open(endpoint, credentials, resolver, wait, in(time));
  }
};

TEST_CASE("a server that sends nothing costs the deadline, not more") {
  const Stub stub("");
  Client client;
  Connection connection = client.open(stub.endpoint()).value();
  const BootTime before = client.clock.now().boot;
  const auto reply = connection.call({"PING"}, client.in(milliseconds(100)));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().message == stub.endpoint().text() + ": timed out");
  CHECK(client.clock.now().boot - before < seconds(5));
}

TEST_CASE("a wait ends when the thread is to stop") {
  const Stub stub("");
  Client client;
  Connection connection = client.open(stub.endpoint()).value();
  REQUIRE(eventfd_write(client.stop.get(), 1) == 0);
  const auto reply = connection.call({"PING"}, client.in(std::chrono::hours(1)));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().message == stub.endpoint().text() + ": the daemon stops");
}

TEST_CASE("a hostile array header is an error of the connection") {
  const Stub stub("*2147483647\r\n$1\r\n");
  Client client;
  Connection connection = client.open(stub.endpoint()).value();
  CHECK_FALSE(connection.call({"PING"}, client.in(seconds(5))));
}

TEST_CASE("a reply that never ends is an error of the connection") {
  const Stub stub("$1000000000\r\n" + std::string(2 * kMaxReplyBytes, 'x'));
  Client client;
  Connection connection = client.open(stub.endpoint()).value();
  const auto reply = connection.call({"PING"}, client.in(seconds(20)));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().message.find("longer than 4 MiB") != std::string::npos);
}

TEST_CASE("a refused password is reported with the server's words, without the password") {
  const Stub stub("-WRONGPASS invalid username-password pair\r\n");
  Client client;
  Connection connection = client.open(stub.endpoint()).value();
  const Status refused = connection.authenticate("claimsd", Secret(std::string_view("hunter2")),
                                                 client.in(seconds(5)));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        stub.endpoint().text() + ": AUTH as claimsd: WRONGPASS invalid username-password pair");
}

TEST_CASE("a name that does not resolve is reported within the deadline") {
  Client client;
  const BootTime before = client.clock.now().boot;
  CHECK_FALSE(client.open({"claimsd-test.invalid", 6379, false}, milliseconds(500)));
  CHECK(client.clock.now().boot - before < seconds(5));
}

TEST_CASE("replies that have arrived are taken without a wait") {
  const Stub stub("+A\r\n+B\r\n");
  Client client;
  Connection connection = client.open(stub.endpoint()).value();
  CHECK(connection.receive(client.in(seconds(5))).value().text == "A");
  CHECK(connection.receive_ready().value().value().text == "B");
  CHECK_FALSE(connection.receive_ready().value());
}

}  // namespace
}  // namespace claimsd::redis
