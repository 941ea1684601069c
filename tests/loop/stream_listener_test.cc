#include "daemon/loop/stream_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <vector>

#include "tests/loop/sockets.h"
#include "tests/support/catch.h"
#include "tests/support/loop_runner.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/skip.h"

namespace claimsd::loop {
namespace {

using test::connect_to;
using test::new_loop;
using test::run_until;
using test::settle;
using testing::ScratchDirectory;

StreamListener::Handlers ignoring() {
  return {.on_connection = [](Fd) {}, .on_error = [](int) {}};
}

StreamListener::Handlers collecting(std::vector<Fd>& connections) {
  return {.on_connection = [&](Fd fd) { connections.push_back(std::move(fd)); },
          .on_error = [](int) {}};
}

bool exists(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0;
}

// Creates a socket file without a listener, as a killed daemon leaves it.
void leave_stale_socket(const std::string& path) {
  auto bound = listen_on_unix_path({.path = path});
  REQUIRE(bound);
}

TEST_CASE("a listener hands over connections that are non-blocking and close-on-exec") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  std::vector<Fd> connections;
  auto listener = StreamListener::listen(*loop, {.path = directory / "s"}, collecting(connections));
  REQUIRE(listener);
  const Fd client = connect_to(directory / "s");
  REQUIRE(client);
  run_until(*loop, [&] { return connections.size() == 1; });
  CHECK((fcntl(connections[0].get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(connections[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  const auto peer = peer_credentials(connections[0].get());
  REQUIRE(peer);
  CHECK(peer->uid == getuid());
  CHECK(peer->gid == getgid());
  CHECK(peer->pid == getpid());
}

TEST_CASE("the socket file has the requested mode and group") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  const mode_t mode = GENERATE(mode_t{0600}, mode_t{0660}, mode_t{0666});
  auto listener = StreamListener::listen(
      *loop, {.path = directory / "s", .mode = mode, .group = getgid()}, ignoring());
  REQUIRE(listener);
  struct stat found {};
  REQUIRE(stat((directory / "s").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == mode);
  CHECK(found.st_gid == getgid());
}

TEST_CASE("a path too long for a socket address is an error, not truncated") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  const std::string prefix = directory / "";
  const std::string longest = prefix + std::string(kMaxSocketPath - prefix.size(), 'x');
  CHECK(StreamListener::listen(*loop, {.path = longest}, ignoring()));
  const auto refused = StreamListener::listen(*loop, {.path = longest + "y"}, ignoring());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("107") != std::string::npos);
  CHECK_FALSE(exists(longest));  // the first one removed its file, the second created none
  CHECK_FALSE(StreamListener::listen(*loop, {.path = ""}, ignoring()));
}

TEST_CASE("a socket left behind by a killed daemon is replaced") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  leave_stale_socket(directory / "s");
  REQUIRE(exists(directory / "s"));
  CHECK(StreamListener::listen(*loop, {.path = directory / "s"}, ignoring()));
}

TEST_CASE("a socket with a listener is not touched") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  std::vector<Fd> connections;
  const auto first =
      StreamListener::listen(*loop, {.path = directory / "s"}, collecting(connections));
  REQUIRE(first);
  const auto second = StreamListener::listen(*loop, {.path = directory / "s"}, ignoring());
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("already listens") != std::string::npos);
  CHECK(connect_to(directory / "s"));
}

TEST_CASE("a socket with a full backlog counts as having a listener") {
  const ScratchDirectory directory;
  const auto bound = listen_on_unix_path({.path = directory / "s", .backlog = 0});
  REQUIRE(bound);
  const Fd fills_it = connect_to(directory / "s");
  REQUIRE(fills_it);
  const auto second = listen_on_unix_path({.path = directory / "s"});
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find("already listens") != std::string::npos);
}

TEST_CASE("a file that is not a socket is never removed") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  const std::string path = directory / "s";
  SECTION("a file") {
    std::ofstream(path) << "precious";
  }
  SECTION("a link to a socket") {
    leave_stale_socket(directory / "other");
    REQUIRE(symlink((directory / "other").c_str(), path.c_str()) == 0);
  }
  SECTION("a directory") {
    REQUIRE(mkdir(path.c_str(), 0700) == 0);
  }
  const auto refused = StreamListener::listen(*loop, {.path = path}, ignoring());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("not a socket") != std::string::npos);
  CHECK(exists(path));
}

TEST_CASE("another user's stale socket is not removed") {
  if (!claimsd::test::has_root()) return;
  const ScratchDirectory directory;
  const std::string path = directory / "s";
  leave_stale_socket(path);
  REQUIRE(chown(path.c_str(), 12345, 12345) == 0);
  const auto refused = listen_on_unix_path({.path = path});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("12345") != std::string::npos);
  CHECK(exists(path));
}

TEST_CASE("a destroyed listener removes its own socket file and no other") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  const std::string path = directory / "s";
  auto listener = StreamListener::listen(*loop, {.path = path}, ignoring());
  REQUIRE(listener);
  SECTION("its own") {
    listener = failure("gone");
    CHECK_FALSE(exists(path));
  }
  SECTION("one that replaced it") {
    REQUIRE(unlink(path.c_str()) == 0);
    std::ofstream(path) << "another's";
    listener = failure("gone");
    CHECK(exists(path));
  }
}

TEST_CASE("a listening socket is adopted and its file remains") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  auto bound = listen_on_unix_path({.path = directory / "s"});
  REQUIRE(bound);
  std::vector<Fd> connections;
  {
    auto listener = StreamListener::adopt(*loop, std::move(bound->fd), collecting(connections));
    REQUIRE(listener);
    const Fd client = connect_to(directory / "s");
    run_until(*loop, [&] { return connections.size() == 1; });
  }
  CHECK(exists(directory / "s"));
}

TEST_CASE("a descriptor that does not listen cannot be adopted") {
  const auto loop = new_loop();
  Fd wrong;
  SECTION("a connected socket") {
    wrong = std::move(test::socket_pair().ours);
  }
  SECTION("a TCP socket") {
    wrong = Fd(socket(AF_INET, SOCK_STREAM, 0));
  }
  SECTION("a file") {
    wrong = Fd(open("/dev/null", O_RDONLY));
  }
  const auto refused = StreamListener::adopt(*loop, std::move(wrong), ignoring());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("not a listening Unix stream socket") != std::string::npos);
}

TEST_CASE("a paused listener keeps clients waiting without losing them") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  std::vector<Fd> connections;
  auto listener = StreamListener::listen(*loop, {.path = directory / "s"}, collecting(connections));
  REQUIRE(listener);
  listener->pause();
  const Fd client = connect_to(directory / "s");
  REQUIRE(client);
  settle(*loop);
  CHECK(connections.empty());
  REQUIRE(listener->resume());
  run_until(*loop, [&] { return connections.size() == 1; });
}

TEST_CASE("a listener may be destroyed while it hands over a connection") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  std::optional<StreamListener> listener;
  int accepted = 0;
  auto created = StreamListener::listen(*loop, {.path = directory / "s"},
                                        {.on_connection =
                                             [&](Fd) {
                                               ++accepted;
                                               listener.reset();
                                             },
                                         .on_error = [](int) {}});
  REQUIRE(created);
  listener.emplace(std::move(*created));
  const Fd first = connect_to(directory / "s");
  const Fd second = connect_to(directory / "s");
  run_until(*loop, [&] { return accepted > 0; });
  settle(*loop);
  CHECK(accepted == 1);
}

// Lowers the limit on open files to the number open now.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const Fd next(dup(0));
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next.get());
    REQUIRE(setrlimit(RLIMIT_NOFILE, &now) == 0);
  }
  ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

 private:
  rlimit before_{};
};

TEST_CASE(
    "without free descriptors clients are closed immediately, and later ones are served again") {
  const auto loop = new_loop();
  const ScratchDirectory directory;
  std::vector<Fd> connections;
  std::vector<int> errors;
  auto listener =
      StreamListener::listen(*loop, {.path = directory / "s"},
                             {.on_connection = [&](Fd fd) { connections.push_back(std::move(fd)); },
                              .on_error = [&](int error) { errors.push_back(error); }});
  REQUIRE(listener);
  const Fd first = connect_to(directory / "s");
  const Fd second = connect_to(directory / "s");
  {
    settle(*loop);  // let the loop open its own descriptors first
    connections.clear();
    const Fd third = connect_to(directory / "s");
    const Fd fourth = connect_to(directory / "s");
    REQUIRE(third);
    REQUIRE(fourth);
    const NoMoreDescriptors none;
    run_until(*loop, [&] { return errors.size() >= 2; });
    CHECK(errors == std::vector<int>{EMFILE, EMFILE});
    CHECK(connections.empty());
    char byte = 0;
    CHECK(recv(third.get(), &byte, 1, 0) == 0);  // closed, not left hanging
    CHECK(recv(fourth.get(), &byte, 1, 0) == 0);
  }
  const Fd fifth = connect_to(directory / "s");
  REQUIRE(fifth);
  run_until(*loop, [&] { return connections.size() == 1; });
}

}  // namespace
}  // namespace claimsd::loop
