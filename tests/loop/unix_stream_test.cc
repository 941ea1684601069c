#include "daemon/loop/unix_stream.h"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "tests/loop/sockets.h"
#include "tests/support/catch.h"
#include "tests/support/loop_runner.h"

namespace claimsd::loop {
namespace {

using test::new_loop;
using test::run_until;
using test::send_all;
using test::settle;

constexpr std::size_t kLimit = 4 * 1024 * 1024;

// A stream with a blocking peer. Records the calls of its handlers.
struct Fixture {
  explicit Fixture(std::size_t queue_limit = kLimit) {
    test::ignore_sigpipe();
    auto pair = test::socket_pair();
    peer = std::move(pair.theirs);
    REQUIRE(fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) == 0);
    auto adopted = UnixStream::adopt(*loop, std::move(pair.ours), queue_limit,
                                     {.on_data =
                                          [this](std::string_view bytes) {
                                            received += bytes;
                                            if (on_data) on_data();
                                          },
                                      .on_end = [this](int error) { ends.push_back(error); },
                                      .on_drained = [this] { ++drained; }});
    REQUIRE(adopted);
    stream.emplace(std::move(*adopted));
    REQUIRE(stream->start_reading());
  }

  std::unique_ptr<Loop> loop = new_loop();
  Fd peer;
  std::string received;
  std::vector<int> ends;
  int drained = 0;
  std::function<void()> on_data;
  std::optional<UnixStream> stream;
};

std::string read_exactly(const Fd& fd, std::size_t size) {
  std::string text(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = recv(fd.get(), text.data() + got, size - got, 0);
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

TEST_CASE("bytes are transferred in both directions") {
  Fixture f;
  send_all(f.peer, "question");
  run_until(*f.loop, [&] { return f.received == "question"; });
  CHECK(f.stream->write("answer") == WriteStatus::kSent);
  CHECK(f.stream->queued_bytes() == 0);
  CHECK(read_exactly(f.peer, 6) == "answer");
}

TEST_CASE("the read buffer is wiped after the callback") {
  Fixture f;
  send_all(f.peer, "s3cret-t0ken");
  run_until(*f.loop, [&] { return !f.received.empty(); });
  const auto scratch = f.loop->scratch();
  CHECK(std::all_of(scratch.begin(), scratch.end(), [](char byte) { return byte == 0; }));
}

// A stream's first event is level-triggered, later ones are edge-triggered. Both must be handled.
TEST_CASE("bytes or an end of file left behind by a read are handled in the next iteration") {
  Fixture f;
  const bool used_before = GENERATE(false, true);
  if (used_before) {
    send_all(f.peer, "first");
    run_until(*f.loop, [&] { return f.received == "first"; });
    f.received.clear();
  }
  SECTION("more bytes than one read takes") {
    const std::string much(Loop::kScratchSize + Loop::kScratchSize / 2, 'm');
    send_all(f.peer, much);
    run_until(*f.loop, [&] { return f.received.size() == much.size(); });
    CHECK(f.received == much);
    CHECK(f.ends.empty());
  }
  SECTION("exactly as many bytes as one read takes, then end of file") {
    const std::string much(Loop::kScratchSize, 'm');
    send_all(f.peer, much);
    f.peer.reset();
    run_until(*f.loop, [&] { return !f.ends.empty(); });
    CHECK(f.received == much);
  }
  SECTION("a few bytes, then end of file") {
    send_all(f.peer, "last words");
    f.peer.reset();
    run_until(*f.loop, [&] { return !f.ends.empty(); });
    CHECK(f.received == "last words");
  }
  SECTION("a few bytes, then a half-close") {
    send_all(f.peer, "last words");
    REQUIRE(shutdown(f.peer.get(), SHUT_WR) == 0);
    run_until(*f.loop, [&] { return !f.ends.empty(); });
    CHECK(f.received == "last words");
  }
  SECTION("end of file while the bytes before it are being handled") {
    send_all(f.peer, "last words");
    f.on_data = [&] { f.peer.reset(); };
    run_until(*f.loop, [&] { return !f.ends.empty(); });
    CHECK(f.received == "last words");
  }
  SECTION("more bytes while earlier ones are being handled") {
    send_all(f.peer, "a");
    f.on_data = [&] {
      if (f.received.size() < 100) send_all(f.peer, "b");
    };
    run_until(*f.loop, [&] { return f.received.size() == 100; });
  }
  CHECK(f.ends.size() <= 1);
}

TEST_CASE("a stream that resumes reading gets the bytes that arrived meanwhile") {
  Fixture f;
  send_all(f.peer, "first");
  run_until(*f.loop, [&] { return f.received == "first"; });
  for (int round = 0; round < 3; ++round) {
    f.stream->stop_reading();
    send_all(f.peer, "x");
    settle(*f.loop);
    const std::size_t before = f.received.size();
    REQUIRE(f.stream->start_reading());
    run_until(*f.loop, [&] { return f.received.size() == before + 1; });
  }
}

TEST_CASE("end of file is reported once, and the peer can still be answered") {
  Fixture f;
  REQUIRE(shutdown(f.peer.get(), SHUT_WR) == 0);
  run_until(*f.loop, [&] { return !f.ends.empty(); });
  settle(*f.loop);
  CHECK(f.ends == std::vector<int>{0});
  CHECK(f.stream->write("late answer") == WriteStatus::kSent);
  CHECK(read_exactly(f.peer, 11) == "late answer");
}

TEST_CASE("writing to a closed peer fails without raising SIGPIPE") {
  Fixture f;
  f.peer.reset();
  CHECK(f.stream->write("hello?") == WriteStatus::kFailed);
  CHECK(f.stream->write("hello?") == WriteStatus::kFailed);
}

TEST_CASE("bytes the peer does not read yet are queued, and arrive complete and in order") {
  Fixture f;
  std::string sent;
  bool queued = false;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    const std::string part(64 * 1024, letter);
    const WriteStatus status = f.stream->write(part);
    REQUIRE((status == WriteStatus::kSent || status == WriteStatus::kQueued));
    queued |= status == WriteStatus::kQueued;
    sent += part;
  }
  REQUIRE(queued);
  CHECK(f.stream->queued_bytes() > 0);
  CHECK(f.drained == 0);
  std::string arrived;
  std::jthread reader([&] { arrived = read_exactly(f.peer, sent.size()); });
  run_until(*f.loop, [&] { return f.drained > 0; });
  reader.join();
  CHECK(arrived == sent);
  CHECK(f.drained == 1);
  CHECK(f.stream->queued_bytes() == 0);
}

TEST_CASE("a peer that never reads cannot grow the queue beyond its limit") {
  constexpr std::size_t kSmall = 100 * 1024;
  Fixture f(kSmall);
  const std::string part(32 * 1024, 'x');
  WriteStatus status = WriteStatus::kSent;
  for (int i = 0; i < 1000 && status != WriteStatus::kOverLimit; ++i) {
    status = f.stream->write(part);
    REQUIRE(status != WriteStatus::kFailed);
    REQUIRE(f.stream->queued_bytes() <= kSmall);
  }
  CHECK(status == WriteStatus::kOverLimit);
}

TEST_CASE("a peer that leaves with bytes queued is reported once") {
  Fixture f;
  const std::string part(256 * 1024, 'x');
  while (f.stream->write(part) != WriteStatus::kQueued) {
  }
  f.peer.reset();
  run_until(*f.loop, [&] { return !f.ends.empty(); });
  settle(*f.loop);
  CHECK(f.ends.size() == 1);
  CHECK(f.drained == 0);
}

TEST_CASE("close() calls back when libuv has released the handle, and no other handler runs") {
  Fixture f;
  const std::string part(256 * 1024, 'x');
  while (f.stream->write(part) != WriteStatus::kQueued) {
  }
  send_all(f.peer, "never read");
  int closed = 0;
  f.stream->close([&] { ++closed; });
  CHECK(closed == 0);
  f.stream->close([&] { closed += 100; });  // a second call does nothing
  run_until(*f.loop, [&] { return closed > 0; });
  settle(*f.loop);
  CHECK(closed == 1);
  CHECK(f.received.empty());
  CHECK(f.ends.empty());
  CHECK(f.drained == 0);
  CHECK(f.stream->write("x") == WriteStatus::kFailed);
  CHECK(f.stream->fd() == -1);
}

TEST_CASE("a stream may be destroyed inside its own callback") {
  Fixture f;
  f.on_data = [&] { f.stream.reset(); };
  send_all(f.peer, "one");
  run_until(*f.loop, [&] { return !f.stream; });
  settle(*f.loop);
  CHECK(f.received == "one");
  CHECK(read_exactly(f.peer, 1).empty());  // the peer sees end of file
}

TEST_CASE("a stream that is not reading leaves the bytes in the kernel") {
  Fixture f;
  f.stream->stop_reading();
  send_all(f.peer, "later");
  settle(*f.loop);
  CHECK(f.received.empty());
  REQUIRE(f.stream->start_reading());
  run_until(*f.loop, [&] { return f.received == "later"; });
}

TEST_CASE("descriptors sent by a hostile peer are not kept open") {
  Fixture f;
  char byte = 'x';
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  const Fd extra(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = extra.get();
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  REQUIRE(sendmsg(f.peer.get(), &message, MSG_NOSIGNAL) == 1);
  const Fd before(dup(0));
  run_until(*f.loop, [&] { return f.received == "x"; });
  const Fd after(dup(0));
  CHECK(after.get() == before.get() + 1);
}

TEST_CASE("the peer's credentials come from the kernel") {
  Fixture f;
  const auto peer = f.stream->credentials();
  REQUIRE(peer);
  CHECK(peer->uid == getuid());
}

TEST_CASE("an invalid descriptor is rejected") {
  const auto loop = new_loop();
  CHECK_FALSE(UnixStream::adopt(*loop, Fd(), kLimit,
                                {.on_data = [](std::string_view) {}, .on_end = [](int) {}}));
  settle(*loop);
}

}  // namespace
}  // namespace claimsd::loop
