#include "daemon/host/failed_start.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "daemon/base/json_writer.h"
#include "proto/codec.h"

namespace claimsd::host {
namespace {

constexpr milliseconds kHttpPatience{100};

Fd copy_of(const std::vector<InheritedSocket>& sockets, std::string_view name) {
  for (const InheritedSocket& socket : sockets) {
    if (socket.name == name) return Fd(fcntl(socket.fd.get(), F_DUPFD_CLOEXEC, 0));
  }
  return {};
}

std::string failure_frame() {
  std::array<char, 256> buffer{};
  const auto code = static_cast<std::uint16_t>(proto::FailureCode::kCannotStart);
  const std::size_t size =
      proto::encode(proto::Failure{.code = code}, 0, buffer.data(), buffer.size());
  return {buffer.data(), size};
}

std::string http_answer(std::string_view reason) {
  JsonWriter json;
  json.begin_object().member("schema", 1).key("error").begin_object();
  json.member("code", "cannot_start")
      .member("message", fmt::format("the daemon cannot start: {}", reason));
  json.member("hint", "systemctl status claimsd").end_object().end_object();
  return fmt::format(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
      json.text().size(), json.text());
}

// The answer is short and fits into the socket's buffer. `patience`: for a peer that must have sent
// its request to see the answer.
void refuse_one(const Fd& listening, std::string_view answer, milliseconds patience) {
  const Fd peer(accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer) return;
  pollfd request{.fd = peer.get(), .events = POLLIN, .revents = 0};
  std::array<char, 4096> ignored;  // NOLINT: written by recv() and not read
  if (poll(&request, 1, static_cast<int>(patience.count())) > 0)
    static_cast<void>(recv(peer.get(), ignored.data(), ignored.size(), 0));
  static_cast<void>(send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL));
  shutdown(peer.get(), SHUT_WR);
}

}  // namespace

FailedStart::FailedStart(const std::vector<InheritedSocket>& sockets)
    : claims_(copy_of(sockets, "claims")), admin_(copy_of(sockets, "admin")) {
  for (const Fd* const fd : {&claims_, &admin_}) {
    if (*fd) fcntl(fd->get(), F_SETFL, fcntl(fd->get(), F_GETFL) | O_NONBLOCK);
  }
}

void FailedStart::refuse(std::string_view reason, Duration time) const {
  if (!claims_ && !admin_) return;
  const std::string frame = failure_frame();
  const std::string answer = http_answer(reason);
  const BootTime end = SystemClock().now().boot + time;
  for (;;) {
    const Duration left = end - SystemClock().now().boot;
    if (left <= Duration()) return;
    pollfd sockets[] = {{.fd = claims_.get(), .events = POLLIN, .revents = 0},
                        {.fd = admin_.get(), .events = POLLIN, .revents = 0}};
    const auto wait = std::chrono::ceil<milliseconds>(left).count();
    if (poll(sockets, 2, static_cast<int>(wait)) < 0 && errno != EINTR) return;
    if (sockets[0].revents != 0) refuse_one(claims_, frame, milliseconds(0));
    if (sockets[1].revents != 0) refuse_one(admin_, answer, kHttpPatience);
  }
}

}  // namespace claimsd::host
