// A map that could not be taken in when it came, because the process was short of something for a
// moment, is taken in later.
#include <sys/resource.h>

#include <fstream>

#include "tests/client/child_process.h"
#include "tests/client/map_host.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

constexpr auto kLongerThanTheRetry = 1100ms;

void allow_descriptors(rlim_t count) {
  const rlimit limit{.rlim_cur = count, .rlim_max = 1024};
  setrlimit(RLIMIT_NOFILE, &limit);
}

rlim_t next_fd() {
  const int fd = dup(STDERR_FILENO);
  close(fd);
  return static_cast<rlim_t>(fd);
}

bool map_is_in_use(const Client& client) {
  return client.statistics().map_in_use == 1;
}

TEST_CASE("a map for which there was no descriptor arrives once there is one") {
  MapHost host;
  host.publish(long_token());
  CHECK(status_of([&] {
          const Client client({.socket_path = host.daemon.path()});
          allow_descriptors(next_fd() + 1);  // the socket, and no map
          if (!client.query("a token that is short").valid()) return 2;
          if (map_is_in_use(client)) return 3;
          allow_descriptors(1024);
          if (!client.query("a token that is short").valid() || map_is_in_use(client)) return 4;
          std::this_thread::sleep_for(kLongerThanTheRetry);
          host.map->beat();  // the map is shared: the daemon's process sees it, too
          if (!client.query("a token that is short").valid() || !map_is_in_use(client)) return 5;
          return client.query(long_token()).source() == Source::kShared ? 0 : 6;
        }) == 0);
}

TEST_CASE("queries are answered while the process has no descriptor for the map") {
  MapHost host;
  CHECK(status_of([&] {
          const Client client({.socket_path = host.daemon.path()});
          allow_descriptors(next_fd() + 1);
          for (int i = 0; i < 3; ++i) {
            if (!client.query("a token that is short").valid()) return 2;
            std::this_thread::sleep_for(kLongerThanTheRetry);
          }
          return map_is_in_use(client) ? 3 : 0;
        }) == 0);
  CHECK(host.daemon.connections() == 3);  // one a second, not one a query
}

TEST_CASE("a stream fetches a map that it missed, too") {
  MapHost host;
  CHECK(status_of([&] {
          const Client client({.socket_path = host.daemon.path()});
          Stream stream(client);
          allow_descriptors(next_fd() + 1);
          const auto ask = [&stream] {
            return stream.send("a token that is short", 1) && receive_one(stream).answer.valid();
          };
          if (!ask() || map_is_in_use(client)) return 2;
          allow_descriptors(1024);
          std::this_thread::sleep_for(kLongerThanTheRetry);
          return ask() && map_is_in_use(client) ? 0 : 3;
        }) == 0);
}

}  // namespace
}  // namespace claimsd::testing
