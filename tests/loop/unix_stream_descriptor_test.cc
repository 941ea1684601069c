#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "daemon/loop/unix_stream.h"
#include "tests/loop/sockets.h"
#include "tests/support/catch.h"
#include "tests/support/loop_runner.h"

namespace claimsd::loop {
namespace {

using test::new_loop;
using test::settle;

struct Fixture {
  Fixture() {
    test::ignore_sigpipe();
    auto pair = test::socket_pair();
    peer = std::move(pair.theirs);
    REQUIRE(fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) == 0);
    auto adopted = UnixStream::adopt(*loop, std::move(pair.ours), 1024 * 1024,
                                     {.on_data = [](std::string_view) {}, .on_end = [](int) {}});
    REQUIRE(adopted);
    stream.emplace(std::move(*adopted));
  }

  std::unique_ptr<Loop> loop = new_loop();
  Fd peer;
  std::optional<UnixStream> stream;
};

struct Received {
  std::string bytes;
  Fd descriptor;
};

Received receive(const Fd& fd, std::size_t limit) {
  Received received;
  received.bytes.resize(limit);
  iovec part{received.bytes.data(), limit};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(fd.get(), &message, MSG_CMSG_CLOEXEC);
  REQUIRE(got >= 0);
  received.bytes.resize(static_cast<std::size_t>(got));
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
    REQUIRE(at->cmsg_type == SCM_RIGHTS);
    REQUIRE(at->cmsg_len == CMSG_LEN(sizeof(int)));
    int number = -1;
    memcpy(&number, CMSG_DATA(at), sizeof number);
    received.descriptor = Fd(number);
  }
  return received;
}

std::pair<dev_t, ino_t> identity(int fd) {
  struct stat file {};
  REQUIRE(fstat(fd, &file) == 0);
  return {file.st_dev, file.st_ino};
}

TEST_CASE("a descriptor arrives with the first byte of its message") {
  Fixture fixture;
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  REQUIRE(fixture.stream->write("before") == WriteStatus::kSent);
  REQUIRE(fixture.stream->write_with_descriptor("with", file.get()));
  REQUIRE(fixture.stream->write("after") == WriteStatus::kSent);
  const Received before = receive(fixture.peer, 6);
  CHECK(before.bytes == "before");
  CHECK_FALSE(before.descriptor);
  const Received with = receive(fixture.peer, 1);
  CHECK(with.bytes == "w");
  REQUIRE(with.descriptor);
  CHECK(identity(with.descriptor.get()) == identity(file.get()));
  const Received after = receive(fixture.peer, 100);
  CHECK(after.bytes == "ithafter");
  CHECK_FALSE(after.descriptor);
  CHECK(fcntl(file.get(), F_GETFD) >= 0);  // remains ours
}

TEST_CASE("a descriptor is not sent while earlier bytes are queued") {
  Fixture fixture;
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  while (fixture.stream->queued_bytes() == 0)
    REQUIRE(fixture.stream->write(std::string(65536, 'x')) != WriteStatus::kFailed);
  const std::size_t queued = fixture.stream->queued_bytes();
  CHECK_FALSE(fixture.stream->write_with_descriptor("with", file.get()));
  CHECK(fixture.stream->queued_bytes() == queued);
}

TEST_CASE("if a descriptor cannot be sent, its bytes are not sent either") {
  Fixture fixture;
  SECTION("invalid descriptor") {
    CHECK_FALSE(fixture.stream->write_with_descriptor("with", -1));
    REQUIRE(fixture.stream->write("without") == WriteStatus::kSent);
    CHECK(receive(fixture.peer, 100).bytes == "without");
  }
  SECTION("peer gone") {
    fixture.peer.reset();
    CHECK_FALSE(fixture.stream->write_with_descriptor("with", 0));
  }
  SECTION("stream closed") {
    fixture.stream->close();
    settle(*fixture.loop);
    CHECK_FALSE(fixture.stream->write_with_descriptor("with", 0));
  }
}

TEST_CASE(
    "bytes that the kernel does not accept with the descriptor are sent later, complete and in "
    "order") {
  Fixture fixture;
  const Fd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  const std::string large(900'000, 'y');  // larger than a socket buffer
  REQUIRE(fixture.stream->write_with_descriptor(large, file.get()));
  CHECK(fixture.stream->queued_bytes() > 0);
  Received first = receive(fixture.peer, 4096);
  CHECK(first.descriptor);
  std::string all = std::move(first.bytes);
  while (all.size() < large.size()) {
    settle(*fixture.loop);
    all += receive(fixture.peer, 65536).bytes;
  }
  CHECK(all == large);
}

}  // namespace
}  // namespace claimsd::loop
