// A token sent to the admin API is nowhere in the process after the response.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "tests/admin/admin_harness.h"
#include "tests/support/catch.h"
#include "tests/support/memory_scan.h"

namespace claimsd::admin {
namespace {

// Masked in the source, so that the searching process never has it in the clear.
std::string masked_token() {
  std::string token;
  for (int i = 0; i < 400; ++i) token += static_cast<char>(('A' + (i * 7 + i / 26) % 26) ^ kMask);
  return token;
}

// Sends the unmasked token and returns the response's status.
int send_token(const std::string& path, const std::string& secret) {
  TestClient client(path);
  const auto token = masked(secret);
  client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 400\r\n\r\n");
  // In two pieces, which the library must join.
  client.send(token.substr(0, 150)).send(token.substr(150));
  return status_of(client.response());
}

// Forks a client that starts when the write end of `go` is closed, and exits after the response:
// with 0 if it was 200. It must not return from here, or it would run the test again.
pid_t fork_client(const std::string& path, const std::string& secret, const int (&go)[2]) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::close(go[1]);  // only the parent's end may keep us waiting
  char nothing = 0;
  if (::read(go[0], &nothing, 1) != 0) ::_exit(2);
  try {
    ::_exit(send_token(path, secret) == 200 ? 0 : 1);
  } catch (...) {
    ::_exit(3);
  }
}

TEMPLATE_TEST_CASE("a token in a request body is wiped after the response", "", AdminServer,
                   KeepAliveServer) {
  const ScratchDirectory dir;
  const auto secret = masked_token();
  int go[2];
  REQUIRE(::pipe(go) == 0);
  const pid_t child = fork_client(dir / "s", secret, go);
  // From each piece, a part long enough not to be found by chance.
  const auto count = [first = secret.substr(20, 64), second = secret.substr(200, 64)] {
    return count_in_memory(first) + count_in_memory(second);
  };
  std::atomic<int> seen = 0;
  {
    const LoopThread server(serve_by<TestType>(dir / "s", [&](const http::Request& request) {
      // The body is in memory at this point, which shows that the search can find it.
      seen = request.body.size() == 400 ? count() : -1;
      return http::Response{};
    }));
    ::close(go[1]);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    CHECK(seen == 2);  // both in our copy; the library's is already wiped
    CHECK(status_of(get(dir / "s", "/")) == 200);  // so the first request is complete
    CHECK(count() == 0);
  }
  ::close(go[0]);
}

}  // namespace
}  // namespace claimsd::admin
