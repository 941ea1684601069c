#include "daemon/loop/loopback_socket.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "daemon/base/parse_integer.h"

namespace claimsd::loop {
namespace {

constexpr int kBacklog = 16;
constexpr std::uint32_t kLoopbackNet = 127;  // the first byte of 127.0.0.0/8

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

tl::unexpected<Error> not_loopback(const std::string& address) {
  return failure(
      fmt::format("daemon.metrics_listen = \"{}\" is not a loopback address with a port: use "
                  "127.0.0.1:9464 or [::1]:9464, and a reverse proxy for access from other hosts",
                  address));
}

bool is_loopback(const sockaddr_in& address) {
  return ntohl(address.sin_addr.s_addr) >> 24 == kLoopbackNet;
}

bool is_loopback(const sockaddr_in6& address) {
  return IN6_IS_ADDR_LOOPBACK(&address.sin6_addr) != 0;
}

bool read_v4(const std::string& host, std::uint16_t port, Address& out) {
  auto& to = reinterpret_cast<sockaddr_in&>(out.bytes);
  if (inet_pton(AF_INET, host.c_str(), &to.sin_addr) != 1) return false;
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  out.size = sizeof to;
  return is_loopback(to);
}

bool read_v6(const std::string& host, std::uint16_t port, Address& out) {
  auto& to = reinterpret_cast<sockaddr_in6&>(out.bytes);
  if (inet_pton(AF_INET6, host.c_str(), &to.sin6_addr) != 1) return false;
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  out.size = sizeof to;
  return is_loopback(to);
}

Result<Address> read_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return not_loopback(text);
  const auto port = parse_integer<std::uint16_t>(std::string_view(text).substr(colon + 1));
  if (!port) return not_loopback(text);
  const std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  Address address;
  if (bracketed ? read_v6(host.substr(1, host.size() - 2), *port, address)
                : read_v4(host, *port, address))
    return address;
  return not_loopback(text);
}

}  // namespace

Result<Fd> listen_on_loopback(const std::string& address) {
  const Address to = TRY(read_address(address));
  const auto failed = [&](const char* what) {
    return failure(fmt::format("cannot {} {} for metrics: {}: choose another daemon.metrics_listen",
                               what, address, strerrordesc_np(errno)));
  };
  Fd fd(socket(to.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return failed("create a socket on");
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&to.bytes), to.size) != 0)
    return failed("bind");
  if (listen(fd.get(), kBacklog) != 0) return failed("listen on");
  return fd;
}

Reach reach_of(int fd) {
  Address bound;
  bound.size = sizeof bound.bytes;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound.bytes), &bound.size) != 0)
    return Reach::kNetwork;
  bool loopback = false;
  switch (bound.bytes.ss_family) {
    case AF_UNIX: return Reach::kUnix;
    case AF_INET: loopback = is_loopback(reinterpret_cast<const sockaddr_in&>(bound.bytes)); break;
    case AF_INET6:
      loopback = is_loopback(reinterpret_cast<const sockaddr_in6&>(bound.bytes));
      break;
    default: break;
  }
  return loopback ? Reach::kLoopback : Reach::kNetwork;
}

}  // namespace claimsd::loop
