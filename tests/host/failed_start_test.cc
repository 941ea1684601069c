// A daemon that cannot start refuses the connections to its held sockets.
#include "daemon/host/failed_start.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <thread>

#include "proto/codec.h"
#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::host {
namespace {

struct Held {
  testing::ScratchDirectory scratch;
  std::vector<InheritedSocket> sockets;

  Held() {
    for (const char* const name : {"claims", "admin"}) {
      const sockaddr_un address = address_of(name);
      Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
      REQUIRE(listen(fd.get(), 8) == 0);
      sockets.push_back({name, std::move(fd)});
    }
  }

  sockaddr_un address_of(const std::string& name) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = scratch / name;
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
  }

  // Connects, sends `request` and returns all that is answered.
  std::string answer(const std::string& name, const std::string& request) const {
    const sockaddr_un address = address_of(name);
    const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return {};
    send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::string all;
    char part[512];
    for (ssize_t got = 0; (got = recv(fd.get(), part, sizeof part, 0)) > 0;)
      all.append(part, static_cast<std::size_t>(got));
    return all;
  }
};

}  // namespace

TEST_CASE("a failed start answers workers and operators, and ends in time") {
  const Held held;
  const FailedStart failed(held.sockets);
  std::thread refusing([&] { failed.refuse("the disk is full", milliseconds(400)); });
  for (int i = 0; i < 3; ++i) {
    const std::string frame = held.answer("claims", "");
    proto::FrameHeader header;
    CHECK(proto::frame_status(frame, header) == proto::FrameStatus::kComplete);
    const std::string http = held.answer("admin", "GET /v1/status HTTP/1.1\r\n\r\n");
    CHECK(http.find("503") != std::string::npos);
    CHECK(http.find("the disk is full") != std::string::npos);
  }
  refusing.join();
}

TEST_CASE("without held sockets a failed start ends at once") {
  const FailedStart failed(std::vector<InheritedSocket>{});
  const BootTime began = SystemClock().now().boot;
  failed.refuse("reason", seconds(60));
  CHECK(SystemClock().now().boot - began < seconds(30));
}

}  // namespace claimsd::host
