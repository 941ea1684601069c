#include "tests/bench/http_stub.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "tests/bench/socket.h"
#include "tests/bench/tls_identity.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

class Server {
 public:
  // `tls`: null for clear text.
  Server(Fd listener, SSL_CTX* tls)
      : listener_(std::move(listener)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), tls_(tls) {}

  int run() {
    watch(listener_.get());
    for (;;) {
      std::array<epoll_event, 64> events;
      const int count =
          ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      if (count < 0) return 1;
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        fd == listener_.get() ? accept_one() : serve(fd);
      }
    }
  }

 private:
  struct Connection {
    Fd fd;
    std::unique_ptr<SSL, FreeSsl> tls;
    std::string request;
  };

  void watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
  }

  void accept_one() {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;
    const int yes = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    watch(fd.get());
    const int number = fd.get();
    Connection& connection = connections_[number];
    connection.fd = std::move(fd);
    if (tls_ == nullptr) return;
    // Blocks for the handshake: there are few connections, and they are kept.
    connection.tls.reset(::SSL_new(tls_));
    if (::SSL_set_fd(connection.tls.get(), number) != 1 || ::SSL_accept(connection.tls.get()) != 1)
      connections_.erase(number);
  }

  // Appends what has arrived. False: the connection is over.
  static bool receive(Connection& connection) {
    std::array<char, 16 * 1024> buffer;
    if (!connection.tls) {
      const auto got = receive_some(connection.fd.get(), buffer.data(), buffer.size());
      if (got) connection.request.append(buffer.data(), *got);
      return got.has_value();
    }
    do {
      std::size_t size = 0;
      if (::SSL_read_ex(connection.tls.get(), buffer.data(), buffer.size(), &size) != 1)
        return false;
      connection.request.append(buffer.data(), size);
    } while (::SSL_pending(connection.tls.get()) > 0);
    return true;
  }

  static bool send(Connection& connection, const std::string& text) {
    if (!connection.tls) return send_all(connection.fd.get(), text).has_value();
    std::size_t size = 0;
    return ::SSL_write_ex(connection.tls.get(), text.data(), text.size(), &size) == 1;
  }

  void serve(int fd) {
    Connection& connection = connections_[fd];
    if (!receive(connection)) {
      connections_.erase(fd);
      return;
    }
    if (!connection.request.ends_with("\r\n\r\n")) return;
    const bool known = connection.request.find("Authorization: Bearer ") != std::string::npos;
    connection.request.clear();
    if (!send(connection, known ? claims_ : report_request_)) connections_.erase(fd);
  }

  Fd listener_;
  Fd epoll_;
  SSL_CTX* tls_;
  std::map<int, Connection> connections_;
  const std::string claims_ = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      kClaimsSize, claims_json());
  const std::string report_request_ = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
};

Result<HttpStub> start_stub(SSL_CTX* tls, std::string certificate) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (!listener || ::bind(listener.get(), generic, size) != 0 ||
      ::listen(listener.get(), 64) != 0 || ::getsockname(listener.get(), generic, &size) != 0) {
    return failure(fmt::format("cannot listen on 127.0.0.1 for the stub of the Auth API: {}",
                               std::strerror(errno)));
  }
  auto process =
      TRY(Process::fork_off("http_stub", [&] { return Server(std::move(listener), tls).run(); }));
  return HttpStub{std::move(process), ntohs(address.sin_port), std::move(certificate)};
}

}  // namespace

std::string HttpStub::url() const {
  return fmt::format("http{}://127.0.0.1:{}", certificate.empty() ? "" : "s", port);
}

Result<HttpStub> HttpStub::start() {
  return start_stub(nullptr, "");
}

Result<HttpStub> HttpStub::start_with_tls() {
  TlsIdentity identity = TRY(TlsIdentity::make());
  return start_stub(identity.context.get(), std::move(identity.pem));
}

Result<std::string> trusted_file(const Scratch& scratch, const HttpStub& stub) {
  if (stub.certificate.empty()) return std::string();
  return scratch.write("trusted.pem", stub.certificate);
}

}  // namespace claimsd::bench
