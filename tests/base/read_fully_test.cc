#include "daemon/base/read_fully.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string_view>
#include <thread>

#include "daemon/base/fd.h"
#include "tests/support/catch.h"

namespace claimsd {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    reads = Fd(ends[0]);
    writes = Fd(ends[1]);
  }
  void put(std::string_view bytes) const {
    REQUIRE(write(writes.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  Fd reads;
  Fd writes;
};

TEST_CASE("input arriving in parts is read to its end") {
  const Pipe pipe;
  std::array<char, 16> text{};
  std::thread slow([&pipe] {
    pipe.put("one ");
    std::this_thread::yield();
    pipe.put("two");
    close(pipe.writes.get());
  });
  const auto size = read_fully(pipe.reads.get(), text);
  slow.join();
  REQUIRE(size);
  CHECK(std::string_view(text.data(), *size) == "one two");
}

TEST_CASE("at most the size of the buffer is read") {
  const Pipe pipe;
  pipe.put("longer than that");
  std::array<char, 6> text{};
  CHECK(read_fully(pipe.reads.get(), text) == text.size());
  CHECK(std::string_view(text.data(), text.size()) == "longer");
}

TEST_CASE("a read error returns its errno") {
  const Fd directory(open("/", O_RDONLY | O_CLOEXEC));
  std::array<char, 6> text{};
  CHECK(read_fully(directory.get(), text) == tl::make_unexpected(EISDIR));
}

TEST_CASE("a signal interrupts the wait, not the read") {
  struct sigaction without_restart {};
  without_restart.sa_handler = [](int /*signal*/) {};
  struct sigaction before {};
  REQUIRE(sigaction(SIGUSR1, &without_restart, &before) == 0);
  const Pipe pipe;
  std::array<char, 4> text{};
  std::atomic<bool> done = false;
  const pthread_t reader = pthread_self();
  std::thread disturber([&] {
    for (int signals = 0; signals < 100; ++signals) {
      pthread_kill(reader, SIGUSR1);
      std::this_thread::yield();
    }
    pipe.put("text");
    while (!done) std::this_thread::yield();
  });
  const auto size = read_fully(pipe.reads.get(), text);
  done = true;
  disturber.join();
  sigaction(SIGUSR1, &before, nullptr);
  CHECK(size == text.size());
}

}  // namespace
}  // namespace claimsd
