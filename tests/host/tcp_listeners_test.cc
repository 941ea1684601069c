#include "daemon/host/tcp_listeners.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/loop/loopback_socket.h"
#include "tests/support/catch.h"

namespace claimsd::host {

TEST_CASE("the user who listens on a port is found") {
  const Fd fd = *loop::listen_on_loopback("127.0.0.1:0");
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  const auto port = ntohs(reinterpret_cast<sockaddr_in&>(bound).sin_port);
  CHECK(uid_listening_on("127.0.0.1:" + std::to_string(port)) == geteuid());
  CHECK(!uid_listening_on("127.0.0.1:1"));
  CHECK(!uid_listening_on("no port"));
}

}  // namespace claimsd::host
