// A working CONNECT proxy (RFC 9110 section 9.3.6): its own response never counts as the Auth API's.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "daemon/base/fd.h"
#include "tests/support/scratch_directory.h"
#include "tests/upstream/fetching.h"

namespace claimsd::upstream {
namespace {

using proto::Reason;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

constexpr char kWrongCredentials[] =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"p\"\r\n"
    "Content-Length: 0\r\n\r\n";

// Serves one tunnel after another to a port of this host. `reply`: its response to CONNECT.
// `credentials`: what Proxy-Authorization must be, or 407; "": anything.
class ConnectProxy {
 public:
  ConnectProxy(int target, std::string reply, std::string credentials = "")
      : target_(target),
        reply_(std::move(reply)),
        credentials_(std::move(credentials)),
        listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener_.get(), 8) == 0);
    REQUIRE(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ConnectProxy() {
    stop_ = true;
    thread_.join();
  }
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int tunnels() const { return tunnels_; }
  // Everything that was sent to the proxy itself.
  std::string heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

 private:
  bool readable(int fd) const {
    pollfd wanted{.fd = fd, .events = POLLIN, .revents = 0};
    while (!stop_) {
      if (poll(&wanted, 1, 20) > 0) return true;
    }
    return false;
  }
  void serve() {
    while (readable(listener_.get())) {
      const Fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::string head;
      std::array<char, 4096> some{};
      while (head.find("\r\n\r\n") == std::string::npos && readable(client.get())) {
        const ssize_t got = recv(client.get(), some.data(), some.size(), 0);
        if (got <= 0) break;
        head.append(some.data(), static_cast<std::size_t>(got));
      }
      {
        const std::lock_guard lock(mutex_);
        heads_ += head;
      }
      if (!head.starts_with("CONNECT ")) continue;
      if (head.find("Proxy-Authorization: " + credentials_ + "\r\n") == std::string::npos &&
          !credentials_.empty()) {
        send(client.get(), kWrongCredentials, sizeof kWrongCredentials - 1, MSG_NOSIGNAL);
        continue;
      }
      ++tunnels_;
      send(client.get(), reply_.data(), reply_.size(), MSG_NOSIGNAL);
      const Fd server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in address = loopback(target_);
      if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        forward(client.get(), server.get());
    }
  }
  void forward(int client, int server) const {
    std::array<pollfd, 2> ends{pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    std::array<char, 16384> some{};
    while (!stop_) {
      if (poll(ends.data(), ends.size(), 20) <= 0) continue;
      for (std::size_t from = 0; from < ends.size(); ++from) {
        if (ends[from].revents == 0) continue;
        const ssize_t got = recv(ends[from].fd, some.data(), some.size(), 0);
        if (got <= 0) return;
        send(ends[1 - from].fd, some.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
      }
    }
  }

  const int target_;
  const std::string reply_;
  const std::string credentials_;
  const Fd listener_;
  int port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<int> tunnels_ = 0;
  mutable std::mutex mutex_;
  std::string heads_;
  std::thread thread_;
};

constexpr char kPlainReply[] = "HTTP/1.1 200 Connection established\r\n\r\n";
constexpr char kRichReply[] =
    "HTTP/1.1 200 OK\r\nCache-Control: max-age=3600\r\nAge: 7\r\nRetry-After: 99\r\n\r\n";

TEST_CASE("through a proxy the Auth API's status, headers and body count, not those of the proxy") {
  test::FaultServer& server = fresh_fault_server();
  const std::string reply = GENERATE(std::string(kPlainReply), std::string(kRichReply));
  CAPTURE(reply);
  const ConnectProxy proxy(server.port("https"), reply);
  const auto through_proxy = [&](const char* mode) {
    UpstreamSettings settings = upstream_of(server, mode, "https");
    settings.proxy = proxy.url();
    return Fetching({settings}).fetch();
  };
  const claims::FetchOutcome rejected = through_proxy("401");
  INFO(rejected.detail);
  CHECK(rejected.failure == Reason::kOk);
  CHECK(rejected.status == 401);
  CHECK(rejected.cache_control.empty());
  CHECK(rejected.age.empty());
  const claims::FetchOutcome failed = through_proxy("status-503");
  CHECK(failed.status == 503);
  CHECK(failed.retry_after == seconds(0));
  const claims::FetchOutcome valid = through_proxy("ok");
  CHECK(valid.status == 200);
  CHECK(valid.body.view().find("user-123") != std::string_view::npos);
  CHECK(proxy.tunnels() == 3);
}

TEST_CASE("a 200 of the proxy without an Auth API behind it is a failure, never an answer") {
  test::FaultServer& server = fresh_fault_server();
  const ConnectProxy proxy(server.port("https"), kPlainReply);
  UpstreamSettings settings = upstream_of(server, "close", "https");
  settings.proxy = proxy.url();
  const claims::FetchOutcome outcome = Fetching({settings}).fetch();
  CHECK(outcome.failure != Reason::kOk);
  CHECK(outcome.status != 200);
}

TEST_CASE("a proxy that refuses the tunnel is a failure, whatever its status") {
  test::FaultServer& server = fresh_fault_server();
  const std::string status = GENERATE("401 Unauthorized", "403 Forbidden", "404 Not Found",
                                      "407 Proxy Authentication Required");
  const ConnectProxy proxy(server.port("https"),
                           "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
  UpstreamSettings settings = upstream_of(server, "ok", "https");
  settings.proxy = proxy.url();
  const claims::FetchOutcome outcome = Fetching({settings}).fetch();
  CHECK(outcome.failure != Reason::kOk);
}

// A colon, a space and a percent sign belong to the password.
constexpr char kCredentials[] = "claimsd:pa%41ss:w rd";
constexpr char kEncoded[] = "Basic Y2xhaW1zZDpwYSU0MXNzOncgcmQ=";

struct CredentialsFile {
  testing::ScratchDirectory scratch;
  std::string path = std::filesystem::path(scratch.path()) / "proxy";

  explicit CredentialsFile(std::string_view text) { std::ofstream(path) << text << '\n'; }
};

TEST_CASE("a proxy gets its credentials and no token, and the Auth API gets no proxy credentials") {
  test::FaultServer& server = fresh_fault_server();
  const ConnectProxy proxy(server.port("https"), kPlainReply, kEncoded);
  const CredentialsFile file(kCredentials);
  UpstreamSettings settings = upstream_of(server, "ok", "https");
  settings.proxy = proxy.url();
  settings.proxy_credentials_file = file.path;
  settings.connection_max_age = seconds(0);  // so that each request makes a tunnel
  Fetching fetching({settings});
  for (int i = 0; i < 3; ++i) CHECK(fetching.fetch().status == 200);
  CHECK(proxy.tunnels() == 3);
  CHECK(proxy.heads().find(kToken) == std::string::npos);
  CHECK(proxy.heads().find("\r\nAuthorization:") == std::string::npos);
  CHECK(server.requests("ok") == 3);
  CHECK(server.get("/_seen?mode=ok").find("Proxy-Authorization") == std::string::npos);
}

TEST_CASE("a proxy that refuses the credentials is a failure that names its status") {
  test::FaultServer& server = fresh_fault_server();
  const ConnectProxy proxy(server.port("https"), kPlainReply, kEncoded);
  const CredentialsFile file("claimsd:wrong");
  UpstreamSettings settings = upstream_of(server, "ok", "https");
  settings.proxy = proxy.url();
  if (GENERATE(true, false)) settings.proxy_credentials_file = file.path;
  const claims::FetchOutcome outcome = Fetching({settings}).fetch();
  CHECK(outcome.failure == Reason::kUpstreamConnect);
  CHECK(outcome.detail.find("407") != std::string::npos);
  CHECK(outcome.detail.find("wrong") == std::string::npos);
  CHECK(server.requests("ok") == 0);
}

}  // namespace
}  // namespace claimsd::upstream
