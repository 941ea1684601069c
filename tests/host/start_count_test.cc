// The count of crashes at the start, kept by the service manager across them.
#include "daemon/host/start_count.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::host {
namespace {

// A service manager that keeps the descriptor that it is sent.
class Keeper {
 public:
  Keeper() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = scratch_ / "notify";
    std::memcpy(address.sun_path, path.data(), path.size());
    REQUIRE(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    manager = ServiceManager::from_environment();
  }

  // What a start of the service gets. Takes the descriptor that was sent before.
  std::vector<InheritedSocket> sockets() {
    char text[256];
    iovec part{.iov_base = text, .iov_len = sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
    if (size > 0) {
      CHECK(std::string(text, static_cast<std::size_t>(size)) == "FDSTORE=1\nFDNAME=starts");
      REQUIRE(CMSG_FIRSTHDR(&message) != nullptr);
      int sent = -1;
      std::memcpy(&sent, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof sent);
      kept_ = Fd(sent);
    }
    std::vector<InheritedSocket> inherited;
    if (kept_) inherited.push_back({"starts", Fd(dup(kept_.get()))});
    return inherited;
  }

  ServiceManager manager;

 private:
  testing::ScratchDirectory scratch_;
  Fd fd_;
  Fd kept_;
};

}  // namespace

TEST_CASE("starts that crash are counted until one does not") {
  Keeper keeper;
  for (std::uint32_t crashes = 0; crashes < 4; ++crashes) {
    auto inherited = keeper.sockets();
    CHECK(StartCount(inherited, keeper.manager).crashes() == crashes);
  }
  auto inherited = keeper.sockets();
  StartCount(inherited, keeper.manager).finished();
  inherited = keeper.sockets();
  CHECK(StartCount(inherited, keeper.manager).crashes() == 0);
}

TEST_CASE("without a service manager every start counts as the first") {
  std::vector<InheritedSocket> none;
  for (int i = 0; i < 3; ++i) CHECK(StartCount(none, ServiceManager()).crashes() == 0);
}

}  // namespace claimsd::host
