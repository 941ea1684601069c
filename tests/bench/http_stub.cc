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
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

class Server {
 public:
  explicit Server(Fd listener)
      : listener_(std::move(listener)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

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
    connections_[number].fd = std::move(fd);
  }

  void serve(int fd) {
    Connection& connection = connections_[fd];
    std::array<char, 16 * 1024> buffer;
    const auto got = receive_some(fd, buffer.data(), buffer.size());
    if (!got) {
      connections_.erase(fd);
      return;
    }
    connection.request.append(buffer.data(), *got);
    if (!connection.request.ends_with("\r\n\r\n")) return;
    const bool known = connection.request.find("Authorization: Bearer ") != std::string::npos;
    connection.request.clear();
    if (!send_all(fd, known ? claims_ : refusal_)) connections_.erase(fd);
  }

  Fd listener_;
  Fd epoll_;
  std::map<int, Connection> connections_;
  const std::string claims_ = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      kClaimsSize, claims_json());
  const std::string refusal_ = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
};

}  // namespace

Result<HttpStub> HttpStub::start() {
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
      TRY(Process::fork_off("http_stub", [&] { return Server(std::move(listener)).run(); }));
  return HttpStub{std::move(process), ntohs(address.sin_port)};
}

}  // namespace claimsd::bench
