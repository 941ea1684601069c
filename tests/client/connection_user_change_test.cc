// A process that changes its user asks as the new one.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/client/child_process.h"
#include "tests/client/map_host.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"
#include "tests/support/skip.h"

namespace claimsd::testing {
namespace {

constexpr uid_t kSomebody = 4211;

void let_everybody_in(const ScratchDirectory& directory, const FakeDaemon& daemon) {
  REQUIRE(chmod(directory.path().c_str(), 0755) == 0);
  REQUIRE(chmod(daemon.path().c_str(), 0666) == 0);
}

// Gives the peer's uid as the user's id.
void serve_uids(Peer& peer) {
  if (!peer.welcome()) return;
  while (const auto frame = peer.receive()) {
    peer.send(valid_answer(claims_block(std::to_string(peer.uid()))), frame->header.request_id);
  }
}

std::string id_in(const Answer& answer) {
  return std::string(answer.claims().id());
}

TEST_CASE("after setuid the handle asks as the new user") {
  if (!claimsd::test::has_root()) return;
  const Host host(serve_uids);
  let_everybody_in(host.directory, host.daemon);
  CHECK(status_of([&] {
          const Client client({.socket_path = host.daemon.path()});
          if (id_in(client.query("t")) != "0") return 2;
          if (setuid(kSomebody) != 0) return 3;
          return id_in(client.query("t")) == std::to_string(kSomebody) ? 0 : 4;
        }) == 0);
}

TEST_CASE("after setuid a stream sends its open queries once more as the new user") {
  if (!claimsd::test::has_root()) return;
  std::atomic<int> asked = 0;
  const Host host([&asked](Peer& peer) {
    if (!peer.welcome()) return;
    while (const auto frame = peer.receive()) {
      if (peer.uid() == 0) continue;  // no answer
      ++asked;
      peer.send(valid_answer(claims_block(std::to_string(peer.uid()))), frame->header.request_id);
    }
  });
  let_everybody_in(host.directory, host.daemon);
  CHECK(status_of([&] {
          const Client client({.socket_path = host.daemon.path()});
          Stream stream(client);
          if (!stream.send("t", 1)) return 2;
          std::this_thread::sleep_for(50ms);  // so that the Welcome is there
          if (stream.receive()) return 5;
          if (setuid(kSomebody) != 0 || !stream.send("t", 2)) return 3;
          for (int i = 0; i < 2; ++i) {
            if (id_in(receive_one(stream).answer) != std::to_string(kSomebody)) return 4;
          }
          return 0;
        }) == 0);
  CHECK(asked == 2);
}

TEST_CASE("a user whom the daemon refuses gets no more answers out of the map of the one before") {
  if (!claimsd::test::has_root()) return;
  MapHost host;
  host.publish(long_token());
  let_everybody_in(host.directory, host.daemon);
  host.refused_uid = kSomebody;
  CHECK(status_of([&] {
          const Client client({.socket_path = host.daemon.path()});
          static_cast<void>(client.query("a token that is short"));
          if (client.query(long_token()).source() != Source::kShared) return 2;
          if (setuid(kSomebody) != 0) return 3;
          if (client.query("a token that is short").reason() != "not_permitted") return 4;
          return client.query(long_token()).reason() == "not_permitted" ? 0 : 5;
        }) == 0);
}

}  // namespace
}  // namespace claimsd::testing
