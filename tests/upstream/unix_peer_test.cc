#include "daemon/upstream/unix_peer.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/scratch_directory.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

constexpr uid_t kOther = 65533;

// A server on a Unix socket that passes everything on to the fault server's http port, run by a
// child process as this user.
class Relay {
 public:
  Relay(const std::string& path, int port, uid_t uid) {
    int ready[2] = {-1, -1};
    REQUIRE(pipe(ready) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      const std::string program =
          "import os,socket,sys,threading\n"
          "s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)\n"
          "uid=int(sys.argv[3])\n"
          "if os.getuid() != uid: os.setuid(uid)\n"
          "s.listen(16); os.write(int(sys.argv[4]), b'x')\n"
          "def pump(a, b):\n"
          "    while True:\n"
          "        data = a.recv(65536)\n"
          "        if not data: break\n"
          "        b.sendall(data)\n"
          "    b.close()\n"
          "while True:\n"
          "    c, _ = s.accept(); u = socket.create_connection(('127.0.0.1', int(sys.argv[2])))\n"
          "    threading.Thread(target=pump, args=(c, u), daemon=True).start()\n"
          "    threading.Thread(target=pump, args=(u, c), daemon=True).start()\n";
      execl("/usr/bin/python3", "python3", "-c", program.c_str(), path.c_str(),
            std::to_string(port).c_str(), std::to_string(uid).c_str(),
            std::to_string(ready[1]).c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ready[1]);
    char byte = 0;
    REQUIRE(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
  }
  ~Relay() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

 private:
  pid_t pid_ = -1;
};

TEST_CASE("an Auth API on a Unix socket is asked, if its listener is trusted") {
  test::FaultServer& server = fresh_fault_server();
  const testing::ScratchDirectory scratch;
  const std::string path = std::filesystem::path(scratch.path()) / "api.sock";
  UpstreamSettings settings;
  settings.name = "test";
  settings.url = "http+unix://" + path;
  settings.path = "/echo/api/me/?a=b";
  SECTION("the owner of the directory") {
    const Relay relay(path, server.port("http"), getuid());
    Fetching fetching({settings});
    CHECK(fetching.fetch().status == 200);
    CHECK(fetching.fetch().reused);
    CHECK(server.connections("echo") == 1);
  }
  SECTION("another user gets no token") {
    if (getuid() != 0) return;  // only root can start a listener of another user
    const Relay relay(path, server.port("http"), kOther);
    Fetching fetching({settings});
    CHECK(fetching.fetch().failure == proto::Reason::kUpstreamConnect);
    CHECK(server.requests("echo") == 0);
    settings.socket_user = std::to_string(kOther);
    Fetching trusting({settings});
    CHECK(trusting.fetch().status == 200);
  }
  SECTION("a directory that every user can write to") {
    const Relay relay(path, server.port("http"), getuid());
    chmod(scratch.path().c_str(), 0777);
    Fetching fetching({settings});
    CHECK(fetching.fetch().failure == proto::Reason::kUpstreamConnect);
    settings.socket_user = std::to_string(getuid());
    Fetching trusting({settings});
    CHECK(trusting.fetch().status == 200);
  }
  SECTION("nothing listens") {
    Fetching fetching({settings});
    CHECK(fetching.fetch().failure == proto::Reason::kUpstreamConnect);
  }
}

TEST_CASE("a user that does not exist is an error at start") {
  const auto peer = UnixPeer::create("/run/x.sock", "no-such-user-here");
  REQUIRE_FALSE(peer);
  CHECK(peer.error().message.find("no-such-user-here") != std::string::npos);
  CHECK(UnixPeer::create("/run/x.sock", "root"));
  CHECK_FALSE(UnixPeer::create("/" + std::string(120, 'x'), ""));
}

}  // namespace
}  // namespace claimsd::upstream
