// pthread_cancel(3) of a thread in a call of the library: nothing leaks, nobody is stuck.
#include <pthread.h>
#include <unistd.h>

#include <filesystem>

#include "tests/client/report_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++count;
  return count;
}

// Runs `body` in a thread that is canceled after a moment in it. True if the cancellation took
// effect, in `body` or right after it.
struct Canceled {
  explicit Canceled(std::function<void()> body) : body_(std::move(body)) {
    REQUIRE(pthread_create(&thread_, nullptr, &Canceled::run, this) == 0);
  }
  static void* run(void* self) {
    static_cast<Canceled*>(self)->body_();
    static_cast<Canceled*>(self)->returned_ = true;
    pthread_testcancel();
    return nullptr;
  }
  void cancel() { pthread_cancel(thread_); }
  bool join() {
    void* result = nullptr;
    pthread_join(thread_, &result);
    return result == PTHREAD_CANCELED;
  }

  std::function<void()> body_;
  pthread_t thread_{};
  std::atomic<bool> returned_ = false;
};

TEST_CASE("a canceled thread gives its connection back: the next query finds it") {
  std::atomic<int> asked = 0;
  Host host(
      [&asked](Peer& peer) {
        if (!peer.welcome()) return;
        while (const auto frame = peer.receive()) {
          const auto query = frame->as<proto::Query>();
          ++asked;
          if (query->token == "silence") continue;
          peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
        }
      },
      1);
  REQUIRE(host.client.query("warm").valid());
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    asked = 0;
    Canceled thread([&] { host.client.query("silence", {.timeout = 200ms}); });
    while (asked == 0) std::this_thread::yield();
    thread.cancel();
    CHECK(thread.join());
    CHECK(thread.returned_);
    REQUIRE(host.client.query("next", {.timeout = 5s}).valid());
  }
  host.daemon.stop();
  CHECK(open_descriptors() <= before);
}

TEST_CASE("a thread canceled while it waits for a connection does not lock the handle") {
  std::atomic<bool> asked = false;
  std::atomic<bool> release = false;
  Host host(
      [&](Peer& peer) {
        if (!peer.welcome()) return;
        while (const auto frame = peer.receive()) {
          asked = true;
          while (!release) std::this_thread::yield();
          peer.send(valid_answer(claims_block("u")), frame->header.request_id);
        }
      },
      1);
  std::thread holder([&] { host.client.query("t", {.timeout = 20s}); });
  while (!asked) std::this_thread::yield();
  Canceled waiter([&] { host.client.query("t", {.timeout = 300ms}); });
  std::this_thread::sleep_for(50ms);
  waiter.cancel();
  CHECK(waiter.join());
  CHECK(waiter.returned_);
  release = true;
  holder.join();
  CHECK(host.client.query("t", {.timeout = 5s}).valid());
}

TEST_CASE("a thread canceled in any other call leaves the handle usable") {
  ReportHost host;
  Canceled sender([&] {
    for (int i = 0; i < 20; ++i) {
      host.client.report(brief_denial());
      host.client.ping(5ms);
      host.client.statistics();
      Stream stream(host.client);
      static_cast<void>(stream.send("user", 1));
      static_cast<void>(stream.receive());
    }
  });
  sender.cancel();
  CHECK(sender.join());
  CHECK(sender.returned_);
  CHECK(host.client.report(denial()).recorded());
  CHECK(host.client.query("user").valid());
}

}  // namespace
}  // namespace claimsd::testing
