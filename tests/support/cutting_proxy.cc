#include "tests/support/cutting_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

namespace claimsd::test {
namespace {

constexpr int kPollMs = 2;
constexpr std::size_t kChunk = 65'536;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Fd new_socket() {
  return Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

// Closing it sends a reset.
void reset_on_close(const Fd& fd) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void send_at_once(const Fd& fd) {
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

CuttingProxy::CuttingProxy(std::uint16_t server_port)
    : server_port_(server_port), listener_(new_socket()), stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_.get(), SOMAXCONN) != 0 ||
      getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("the proxy cannot listen");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

CuttingProxy::~CuttingProxy() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
}

void CuttingProxy::run() {
  for (;;) {
    std::vector<pollfd> fds{{.fd = stop_.get(), .events = POLLIN, .revents = 0},
                            {.fd = listener_.get(), .events = POLLIN, .revents = 0}};
    const Mode mode = mode_;
    if (mode == Mode::kCut) links_.clear();
    for (const Link& link : links_) {
      const auto events = static_cast<short>(mode == Mode::kPass ? POLLIN : 0);
      fds.push_back({.fd = link.client.get(), .events = events, .revents = 0});
      fds.push_back({.fd = link.server.get(), .events = events, .revents = 0});
    }
    poll(fds.data(), fds.size(), kPollMs);
    if (fds[0].revents != 0) return;
    if (mode == Mode::kPass) {
      std::size_t at = 2;
      std::erase_if(links_, [&](Link& link) {
        const bool up = fds[at++].revents != 0;
        const bool down = fds[at++].revents != 0;
        return !move(link.up, up) || !move(link.down, down);
      });
    }
    if (fds[1].revents != 0) accept_one();
  }
}

void CuttingProxy::accept_one() {
  Link link{.client = Fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)),
            .server = {},
            .up = {},
            .down = {}};
  if (!link.client) return;
  reset_on_close(link.client);
  send_at_once(link.client);
  if (mode_ == Mode::kCut) return;
  link.server = new_socket();
  const sockaddr_in address = loopback(server_port_);
  if (connect(link.server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return;
  send_at_once(link.server);
  link.up = {link.client.get(), link.server.get(), {}};
  link.down = {link.server.get(), link.client.get(), {}};
  links_.push_back(std::move(link));
}

// False once one of the sides has closed the connection.
bool CuttingProxy::move(Direction& direction, bool readable) {
  const Time now = std::chrono::steady_clock::now();
  if (readable) {
    std::array<char, kChunk> buffer{};
    const ssize_t count = recv(direction.from, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0) return false;
    if (count > 0)
      direction.chunks.push_back(
          {now + delay_.load(), std::string(buffer.data(), static_cast<std::size_t>(count))});
  }
  std::size_t sent = 0;
  for (; sent < direction.chunks.size() && direction.chunks[sent].due <= now; ++sent) {
    const std::string& bytes = direction.chunks[sent].bytes;
    if (send(direction.to, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) return false;
  }
  direction.chunks.erase(direction.chunks.begin(),
                         direction.chunks.begin() + static_cast<std::ptrdiff_t>(sent));
  return true;
}

}  // namespace claimsd::test
