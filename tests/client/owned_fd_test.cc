// Applications close descriptors that are not theirs, and reuse the numbers. Neither may cost them
// a file or us a token.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/client/host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

// The number that the next descriptor of this process gets. Nothing else may open one meanwhile.
int next_fd() {
  const int fd = dup(0);
  close(fd);
  return fd;
}

bool same_file(int left, int right) {
  struct stat a {};
  struct stat b {};
  return fstat(left, &a) == 0 && fstat(right, &b) == 0 && a.st_ino == b.st_ino &&
         a.st_dev == b.st_dev;
}

// An application that has put a socket of its own where the client's was.
struct Application {
  explicit Application(int number) : number_(number) {
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_) == 0);
    REQUIRE(dup2(pair_[0], number) == number);
  }
  ~Application() {
    close(pair_[0]);
    close(pair_[1]);
    close(number_);
  }
  bool still_has_its_socket() const { return same_file(number_, pair_[0]); }
  bool was_sent_something() const {
    pollfd readable{.fd = pair_[1], .events = POLLIN, .revents = 0};
    return poll(&readable, 1, 0) > 0;
  }

  void is_sent(std::string_view text) const {
    REQUIRE(write(pair_[1], text.data(), text.size()) > 0);
  }
  std::string receives() const {
    char text[64];
    const ssize_t count = recv(number_, text, sizeof text, MSG_DONTWAIT);
    return count > 0 ? std::string(text, static_cast<std::size_t>(count)) : std::string();
  }

  int number_;
  int pair_[2] = {-1, -1};
};

TEST_CASE("a descriptor that is no longer ours gets no token and is not closed") {
  Host host;
  const int number = next_fd();
  REQUIRE(host.client.query("one").valid());
  {
    const Application application(number);  // closes the client's socket under it
    const Answer answer = host.client.query("two");
    CHECK(answer.valid());
    CHECK(application.still_has_its_socket());
    CHECK_FALSE(application.was_sent_something());
  }
  CHECK(host.daemon.connections() == 2);
}

TEST_CASE("closing the handle closes no descriptor that is no longer ours") {
  Host host;
  const int number = next_fd();
  REQUIRE(host.client.query("one").valid());
  const Application application(number);
  { const Client gone = std::move(host.client); }
  CHECK(application.still_has_its_socket());
  CHECK_FALSE(application.was_sent_something());
}

TEST_CASE("closing the handle closes what is ours") {
  Host host;
  const int number = next_fd();
  REQUIRE(host.client.query("one").valid());
  REQUIRE(fcntl(number, F_GETFD) == FD_CLOEXEC);
  { const Client gone = std::move(host.client); }
  CHECK(fcntl(number, F_GETFD) == -1);
}

TEST_CASE("a stream whose socket was closed under it asks again over a new one") {
  Host host;
  Stream stream(host.client);
  const int number = next_fd();
  REQUIRE(stream.send("one", 1));
  pollfd readable{.fd = stream.fd(), .events = POLLIN, .revents = 0};
  for (bool answered = false; !answered;) {
    REQUIRE(poll(&readable, 1, 5000) == 1);
    answered = stream.receive().has_value();
  }
  const Application application(number);
  application.is_sent("not for the client");
  REQUIRE(stream.send("two", 2, {.timeout = 200ms}));
  for (bool answered = false; !answered;) {
    REQUIRE(poll(&readable, 1, 5000) == 1);
    answered = stream.receive().has_value();
  }
  CHECK(application.still_has_its_socket());
  CHECK_FALSE(application.was_sent_something());
  CHECK(application.receives() == "not for the client");
}

}  // namespace
}  // namespace claimsd::testing
