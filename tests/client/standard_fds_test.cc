// Descriptors 0 to 2 belong to the application, also while they are closed.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/client/child_process.h"
#include "tests/client/map_host.h"
#include "tests/client/report_host.h"

namespace claimsd::testing {
namespace {

bool are_all_closed() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) return false;
  }
  return true;
}

TEST_CASE("a process without standard descriptors gets none from the library") {
  const ReportHost host;
  CHECK(status_of([&] {
          for (int fd = 0; fd <= 2; ++fd) close(fd);
          const Client client({.socket_path = host.host.daemon.path()});
          if (!client.query("user").valid() || !are_all_closed()) return 2;
          if (!client.report(brief_denial()).sent() || !are_all_closed()) return 3;
          Stream stream(client);
          if (stream.fd() <= 2 || !stream.send("user", 1) || !are_all_closed()) return 4;
          while (!stream.receive()) continue;
          // A stray write of the application reaches nobody.
          if (write(1, "stray", 5) != -1) return 5;
          return client.query("again").valid() ? 0 : 6;
        }) == 0);
}

TEST_CASE("the map arrives where the standard descriptors are closed") {
  MapHost host;
  host.publish(long_token());
  CHECK(status_of([&] {
          for (int fd = 0; fd <= 2; ++fd) close(fd);
          const Client client({.socket_path = host.daemon.path()});
          if (!client.query("a token that is short").valid() || !are_all_closed()) return 2;
          return client.query(long_token()).source() == Source::kShared ? 0 : 3;
        }) == 0);
}

}  // namespace
}  // namespace claimsd::testing
