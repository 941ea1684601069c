#include "daemon/host/socket_paths.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "daemon/loop/loopback_socket.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::host {
namespace {

Fd socket_at(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

struct Held {
  testing::ScratchDirectory scratch;
  std::string path = scratch / "claims.sock";
  std::vector<InheritedSocket> sockets;

  Held() { sockets.push_back({"claims", socket_at(path)}); }
};

}  // namespace

TEST_CASE(
    "an inherited socket whose file is removed is lost, and a restart of the units restores it") {
  const Held held;
  SocketPaths paths;
  paths.add_inherited(held.sockets);
  paths.add_own("claims", "/elsewhere");  // not used: the socket was inherited
  paths.check();
  REQUIRE(paths.all().size() == 1);
  CHECK(paths.all()[0].path == held.path);
  CHECK(!paths.all()[0].lost);
  REQUIRE(unlink(held.path.c_str()) == 0);
  paths.check();
  CHECK(paths.all()[0].lost);
  CHECK(fix_for_lost(paths.all()[0]).find("stop claimsd.socket claimsd-admin.socket claimsd && ") !=
        std::string::npos);
}

TEST_CASE("a socket whose file is another's is lost") {
  const Held held;
  SocketPaths paths;
  paths.add_inherited(held.sockets);
  REQUIRE(rename(held.path.c_str(), (held.path + ".old").c_str()) == 0);
  const Fd other = socket_at(held.path);
  paths.check();
  CHECK(paths.all()[0].lost);
  REQUIRE(rename((held.path + ".old").c_str(), held.path.c_str()) == 0);
  paths.check();
  CHECK(!paths.all()[0].lost);
}

TEST_CASE("a socket whose file was removed before the start is lost") {
  const Held held;
  REQUIRE(unlink(held.path.c_str()) == 0);
  SocketPaths paths;
  paths.add_inherited(held.sockets);
  paths.check();
  CHECK(paths.all()[0].lost);
}

TEST_CASE("a descriptor that is no socket with a path has no path to lose") {
  std::vector<InheritedSocket> sockets;
  sockets.push_back({"starts", Fd(dup(STDIN_FILENO))});
  sockets.push_back({"http-tcp", *loop::listen_on_loopback("127.0.0.1:0")});
  SocketPaths paths;
  paths.add_inherited(sockets);
  CHECK(paths.all().empty());
}

}  // namespace claimsd::host
