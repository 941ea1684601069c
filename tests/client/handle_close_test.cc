// claimsd_close() drops a reference: it may be called at any time.
#include <fcntl.h>

#include <thread>

#include "tests/client/child_process.h"
#include "tests/client/stream_helpers.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

TEST_CASE("a stream works after its handle was closed") {
  Host host;
  auto stream = std::make_unique<Stream>(host.client);
  { const Client gone = std::move(host.client); }
  REQUIRE(stream->send("user", 1));
  CHECK(receive_one(*stream).answer.valid());
}

TEST_CASE("a query that waits while its handle is closed gets its answer") {
  std::atomic<bool> asked = false;
  std::atomic<bool> release = false;
  Host host([&](Peer& peer) {
    if (!peer.welcome() || !peer.receive()) return;
    asked = true;
    while (!release) std::this_thread::yield();
    peer.send(valid_answer(claims_block("user")), 2);
    peer.receive();
  });
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  options.socket_path = host.daemon.path().c_str();
  claimsd_handle* handle = nullptr;
  REQUIRE(claimsd_open(&options, &handle, nullptr) == CLAIMSD_OK);
  std::atomic<claimsd_result> result = CLAIMSD_AGAIN;
  std::thread waiter([&] {
    claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
    request.token = "t";
    request.token_size = 1;
    result = claimsd_query(handle, &request, nullptr);
  });
  while (!asked) std::this_thread::yield();
  claimsd_close(handle);
  release = true;
  waiter.join();
  CHECK(result == CLAIMSD_VALID);
}

TEST_CASE("a handle works until its last reference is closed") {
  Host host;
  claimsd_options options = CLAIMSD_OPTIONS_INIT;
  options.socket_path = host.daemon.path().c_str();
  claimsd_handle* handle = nullptr;
  REQUIRE(claimsd_open(&options, &handle, nullptr) == CLAIMSD_OK);
  CHECK(claimsd_retain(handle) == handle);
  CHECK(claimsd_retain(nullptr) == nullptr);
  claimsd_close(handle);
  claimsd_query_request request = CLAIMSD_QUERY_REQUEST_INIT;
  request.token = "t";
  request.token_size = 1;
  CHECK(claimsd_query(handle, &request, nullptr) == CLAIMSD_VALID);
  claimsd_close(handle);
}

TEST_CASE("a forked child closes a handle although a thread of its parent waits in it") {
  std::atomic<bool> asked = false;
  std::atomic<bool> release = false;
  Host host([&](Peer& peer) {
    if (!peer.welcome() || !peer.receive()) return;
    asked = true;
    while (!release) std::this_thread::yield();
    peer.send(valid_answer(claims_block("user")), 2);
    peer.receive();
  });
  const int number = dup(STDERR_FILENO);
  close(number);
  std::thread waiter([&] { host.client.query("t"); });
  while (!asked) std::this_thread::yield();
  CHECK(fcntl(number, F_GETFD) != -1);
  CHECK(status_of([&] {
          { const Client gone = std::move(host.client); }
          return fcntl(number, F_GETFD) == -1 ? 0 : 2;
        }) == 0);
  release = true;
  waiter.join();
}

}  // namespace
}  // namespace claimsd::testing
