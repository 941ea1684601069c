// Whom a token is shown to: only a daemon run by root, by the owner of the socket's directory, or
// by the uid that was configured.
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/client/stream_helpers.h"

namespace claimsd::testing {
namespace {

// A process of another user that listens, takes what comes, and reports how much that was once the
// other side has hung up.
class Impostor {
 public:
  Impostor(std::string path, uid_t uid) {
    int report[2];
    REQUIRE(pipe2(report, O_CLOEXEC) == 0);
    child_ = fork();
    if (child_ == 0) {
      listen_and_count(path, uid, report[1]);
      _exit(0);
    }
    close(report[1]);
    report_ = report[0];
    REQUIRE(read_word() == kListening);
  }
  ~Impostor() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    close(report_);
  }

  // Bytes that it was sent over its first connection.
  long bytes() { return read_word(); }

 private:
  static constexpr long kListening = -1;

  static void say(int fd, long word) { static_cast<void>(!write(fd, &word, sizeof word)); }

  static void listen_and_count(const std::string& path, uid_t uid, int report) {
    // Plain system calls: this process had threads before it was forked.
    if (setgid(uid) != 0 || setuid(uid) != 0) _exit(1);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) _exit(2);
    if (chmod(path.c_str(), 0777) != 0 || listen(listener, 8) != 0) _exit(3);
    say(report, kListening);
    const int peer = accept(listener, nullptr, nullptr);
    char buffer[4096];
    long bytes = 0;
    pollfd readable{.fd = peer, .events = POLLIN, .revents = 0};
    // A client that trusts us sends its Hello and then waits; one that does not hangs up.
    while (poll(&readable, 1, 300) > 0) {
      const ssize_t count = read(peer, buffer, sizeof buffer);
      if (count <= 0) break;
      bytes += count;
    }
    say(report, bytes);
  }

  long read_word() {
    long word = -2;
    static_cast<void>(!read(report_, &word, sizeof word));
    return word;
  }

  pid_t child_ = -1;
  int report_ = -1;
};

constexpr uid_t kSomebody = 4211;
constexpr uid_t kOverflow = 65534;

std::string reason_of(const std::string& path, std::uint32_t daemon_uid) {
  const Client client({.socket_path = path, .daemon_uid = daemon_uid});
  return std::string(client.query("secret", {.timeout = 100ms}).reason());
}

bool may_change_user() {
  if (geteuid() == 0) return true;
  WARN("not run as root: a daemon of another user cannot be tried");
  return false;
}

TEST_CASE("a stranger's socket is told nothing, not even Hello") {
  if (!may_change_user()) return;
  ScratchDirectory directory;
  REQUIRE(chmod(directory.path().c_str(), 0777) == 0);
  Impostor impostor(directory / "s", kSomebody);
  CHECK(reason_of(directory / "s", CLAIMSD_ANY_TRUSTED_UID) == "wrong_daemon");
  CHECK(impostor.bytes() == 0);
}

TEST_CASE(
    "the owner of the socket's directory is trusted, since nobody else could have put it there") {
  if (!may_change_user()) return;
  ScratchDirectory directory;
  REQUIRE(chown(directory.path().c_str(), kSomebody, kSomebody) == 0);
  Impostor daemon(directory / "s", kSomebody);
  CHECK(reason_of(directory / "s", CLAIMSD_ANY_TRUSTED_UID) == "timeout");
  CHECK(daemon.bytes() > 0);
}

TEST_CASE("the configured uid is trusted") {
  if (!may_change_user()) return;
  ScratchDirectory directory;
  REQUIRE(chown(directory.path().c_str(), kSomebody, kSomebody) == 0);
  Impostor daemon(directory / "s", kSomebody);
  CHECK(reason_of(directory / "s", kSomebody) == "timeout");
  CHECK(daemon.bytes() > 0);
}

TEST_CASE("where a uid is configured, owning the directory is not enough") {
  if (!may_change_user()) return;
  ScratchDirectory directory;
  REQUIRE(chown(directory.path().c_str(), kSomebody, kSomebody) == 0);
  Impostor impostor(directory / "s", kSomebody);
  CHECK(reason_of(directory / "s", kSomebody + 1) == "wrong_daemon");
  CHECK(impostor.bytes() == 0);
}

TEST_CASE("a socket in a directory that other users can write to is refused") {
  const mode_t mode = GENERATE(0777, 01777, 0775, 0757, 0702);
  const Host host;
  REQUIRE(chmod(host.directory.path().c_str(), mode) == 0);
  CHECK(host.client.query("secret").reason() == "unsafe_directory");
  CHECK_FALSE(host.client.report({.status = 403}).sent());
  Stream stream(host.client);
  REQUIRE(stream.send("secret", 1));
  CHECK(receive_one(stream).answer.reason() == "unsafe_directory");
  REQUIRE(chmod(host.directory.path().c_str(), 0755) == 0);
  CHECK(host.client.query("user").valid());
}

TEST_CASE("a socket in the directory of a user who is not the daemon's is refused") {
  if (!may_change_user()) return;
  const Host host;
  REQUIRE(chown(host.directory.path().c_str(), kSomebody, kSomebody) == 0);
  CHECK(host.client.query("secret").reason() == "unsafe_directory");
  const Client configured({.socket_path = host.daemon.path(), .daemon_uid = kSomebody});
  CHECK(configured.query("user").valid());
}

TEST_CASE("the configured uid does not make up for a directory that others can write to") {
  if (!may_change_user()) return;
  ScratchDirectory directory;
  REQUIRE(chmod(directory.path().c_str(), 0777) == 0);
  Impostor daemon(directory / "s", kSomebody);
  CHECK(reason_of(directory / "s", kSomebody) == "unsafe_directory");
  CHECK(daemon.bytes() == 0);
}

TEST_CASE("two users that this namespace does not know are not taken for one") {
  if (!may_change_user()) return;
  ScratchDirectory directory;
  REQUIRE(chown(directory.path().c_str(), kOverflow, kOverflow) == 0);
  Impostor impostor(directory / "s", kOverflow);
  CHECK(reason_of(directory / "s", CLAIMSD_ANY_TRUSTED_UID) == "wrong_daemon");
  CHECK(impostor.bytes() == 0);
}

TEST_CASE(
    "root is trusted beside the configured uid: with socket activation it is root that listens") {
  Host host;
  if (geteuid() != 0) return;
  const Client client({.socket_path = host.daemon.path(), .daemon_uid = kSomebody});
  CHECK(client.query("user-1").valid());
}

TEST_CASE("a socket that this user may not open is said to be so") {
  if (!may_change_user()) return;
  Host host;
  REQUIRE(chmod(host.daemon.path().c_str(), 0600) == 0);
  REQUIRE(chmod(host.directory.path().c_str(), 0755) == 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(kSomebody) != 0 || setuid(kSomebody) != 0) _exit(2);
    claimsd_question question = CLAIMSD_QUESTION_INIT;
    question.token = "t";
    question.token_size = 1;
    claimsd_answer* answer = nullptr;
    claimsd_query(host.client.get(), &question, &answer);
    _exit(std::string_view(claimsd_answer_reason(answer)) == "not_permitted" ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
}

}  // namespace
}  // namespace claimsd::testing
