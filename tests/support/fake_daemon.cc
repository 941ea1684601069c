#include "tests/support/fake_daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "proto/claims_block.h"

namespace claimsd::testing {

std::optional<Frame> Peer::receive() {
  for (;;) {
    Frame frame;
    if (proto::frame_status(received_, frame.header) == proto::FrameStatus::kComplete) {
      frame.bytes = received_.substr(0, frame.header.frame_size());
      received_.erase(0, frame.bytes.size());
      return frame;
    }
    char buffer[16384];
    const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) return std::nullopt;
    received_.append(buffer, static_cast<std::size_t>(count));
  }
}

bool Peer::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Peer::send_with(const proto::Welcome& message, std::uint32_t request_id,
                     const std::vector<int>& fds) {
  std::string frame(proto::kMaxFrame, '\0');
  frame.resize(proto::encode(message, request_id, frame.data(), frame.size()));
  iovec part{.iov_base = frame.data(), .iov_len = frame.size()};
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
  }
  return sendmsg(fd_, &header, MSG_NOSIGNAL) == static_cast<ssize_t>(frame.size());
}

int Peer::uid() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  return static_cast<int>(credentials.uid);
}

void Peer::hang_up() {
  shutdown(fd_, SHUT_RDWR);
}

bool Peer::welcome() {
  const auto frame = receive();
  if (!frame || !frame->as<proto::Hello>()) return false;
  return send(
      proto::Welcome{.version = proto::kVersion, .daemon_version = "fake", .upstream_name = "main"},
      frame->header.request_id);
}

FakeDaemon::FakeDaemon(std::string path, Script script)
    : path_(std::move(path)), script_(std::move(script)) {
  start();
}

FakeDaemon::~FakeDaemon() {
  stop();
}

void FakeDaemon::start() {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 128) != 0) {
    throw std::runtime_error("cannot listen on " + path_);
  }
  acceptor_ = std::thread([this] { accept_all(); });
}

void FakeDaemon::accept_all() {
  for (;;) {
    // accept(2) takes its number before it waits: tests that foretell numbers must not meet it.
    pollfd connecting{.fd = listener_, .events = POLLIN, .revents = 0};
    poll(&connecting, 1, -1);
    // Ends with EINVAL once stop() has shut the listener down.
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard locked(mutex_);
    peers_.push_back(fd);
    scripts_.emplace_back([this, fd, number = connections_++] {
      Peer peer(fd, number);
      script_(peer);
      peer.hang_up();
    });
  }
}

void FakeDaemon::stop() {
  if (listener_ < 0) return;
  unlink(path_.c_str());
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  listener_ = -1;
  for (const int fd : peers_) shutdown(fd, SHUT_RDWR);
  for (std::thread& script : scripts_) script.join();
  for (const int fd : peers_) close(fd);
  peers_.clear();
  scripts_.clear();
}

std::string claims_block(std::string_view id, std::string_view email,
                         const std::vector<std::string>& roles, std::string_view raw) {
  std::string block(proto::kMaxClaimsBlock, '\0');
  proto::Writer writer(block.data(), block.size());
  if (!proto::encode_claims(writer, id, email, roles, raw))
    throw std::logic_error("no such claims");
  block.resize(writer.size());
  return block;
}

proto::Answer valid_answer(std::string_view block) {
  return {.verdict = static_cast<std::uint8_t>(proto::Verdict::kValid),
          .source = static_cast<std::uint8_t>(proto::Source::kCache),
          .reason = 0,
          .age_ms = 1000,
          .left_ms = 59000,
          .claims = block};
}

proto::Answer refusal(proto::Verdict verdict, proto::Reason reason) {
  return {.verdict = static_cast<std::uint8_t>(verdict),
          .reason = static_cast<std::uint16_t>(reason)};
}

void serve_tokens_as_ids(Peer& peer) {
  if (!peer.welcome()) return;
  while (const auto frame = peer.receive()) {
    if (const auto query = frame->as<proto::Query>()) {
      peer.send(valid_answer(claims_block(query->token)), frame->header.request_id);
    } else if (const auto ping = frame->as<proto::Ping>()) {
      peer.send(proto::Pong{.echo = ping->echo}, frame->header.request_id);
    }
  }
}

}  // namespace claimsd::testing
