// exit(3) while threads use the library, and what runs after it has torn libcrypto down.
#include <openssl/crypto.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/client/child_process.h"
#include "tests/client/map_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

int tries() {
  const char* const wanted = std::getenv("CLAIMSD_STRESS_EXITS");
  return wanted == nullptr ? 20 : std::atoi(wanted);
}

// A map is ignored two seconds after its heartbeat. A busy machine may need longer to get here.
bool reaches_map(const Client& client, MapHost& host) {
  using Clock = std::chrono::steady_clock;
  for (const auto end = Clock::now() + 60s; Clock::now() < end;) {
    host.map->beat();
    host.publish(long_token());
    if (client.query(long_token()).source() == Source::kShared) return true;
  }
  return false;
}

TEST_CASE(
    "once libcrypto is torn down, lookups go over the socket, and closing frees nothing twice") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.publish(long_token());
  CHECK(status_of([&] {
          auto client = std::make_unique<Client>(
              ClientOptions{.socket_path = host.daemon.path(), .flags = CLAIMSD_NO_LOCAL_TABLE});
          if (!reaches_map(*client, host)) return 2;
          OPENSSL_cleanup();
          if (client->query(long_token()).source() != Source::kCache) return 3;
          client.reset();
          return 0;
        }) == 0);
}

// Its destructor runs after libcrypto's own, which is registered later.
Client*& at_exit() {
  static struct Closing {
    ~Closing() { delete client; }
    Client* client = nullptr;
  } closing;
  return closing.client;
}

TEST_CASE("exit() with threads in the map, and a handle of static storage, does not crash") {
  MapHost host({.flags = CLAIMSD_NO_LOCAL_TABLE});
  host.publish(long_token());
  for (int i = 0; i < tries(); ++i) {
    const int status = status_of([&] {
      auto* const client = new Client(
          {.socket_path = host.daemon.path(), .flags = CLAIMSD_NO_LOCAL_TABLE});  // stays
      at_exit() = new Client({.socket_path = host.daemon.path()});
      for (const Client* each : {client, at_exit()}) {
        if (!reaches_map(*each, host)) return 2;
      }
      for (int thread = 0; thread < 4; ++thread) {
        std::thread([client] {
          for (;;) static_cast<void>(client->query(long_token()));
        }).detach();
      }
      std::this_thread::sleep_for(2ms);
      std::exit(0);
    });
    REQUIRE(status == 0);
  }
}

}  // namespace
}  // namespace claimsd::testing
