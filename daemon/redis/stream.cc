#include "daemon/redis/stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

namespace claimsd::redis {
namespace {

Result<Fd> connect_to(const addrinfo& address, const Wait& wait, BootTime deadline) {
  Fd fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return failure(strerrordesc_np(errno));
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return failure(strerrordesc_np(errno));
  TRY(wait.until(fd.get(), POLLOUT, deadline));
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return failure(strerrordesc_np(error));
  return fd;
}

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

}  // namespace

Result<Stream> Stream::connect(const Endpoint& endpoint, const crypto::TlsCredentials& credentials,
                               Resolver& resolver, const Wait& wait, BootTime deadline) {
  const Resolver::Addresses addresses =
      TRY(resolver.resolve(endpoint.host, endpoint.port, wait, deadline));
  int left = 0;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) ++left;
  Result<Fd> fd = failure("the name has no address");
  for (const addrinfo* one = addresses.get(); one != nullptr && !fd; one = one->ai_next) {
    // An address that does not answer leaves time for the next one.
    const BootTime now = wait.now();
    fd = connect_to(*one, wait, now + (deadline - now) / left--);
  }
  if (!fd) return tl::unexpected(fd.error());
  Stream stream;
  stream.fd_ = std::move(*fd);
  if (endpoint.tls) TRY(stream.start_tls(endpoint.host, credentials, wait, deadline));
  return stream;
}

Status Stream::start_tls(const std::string& host, const crypto::TlsCredentials& credentials,
                         const Wait& wait, BootTime deadline) {
  tls_ = TRY(TlsSession::create(fd_.get(), host, credentials));
  for (;;) {
    const TlsSession::Step step = TRY(tls_->shake_hands());
    if (step.wanted == 0) return {};
    TRY(wait.until(fd_.get(), step.wanted, deadline));
  }
}

Result<TlsSession::Step> Stream::try_write(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return TlsSession::Step{.done = static_cast<std::size_t>(sent)};
  if (would_block()) return TlsSession::Step{.wanted = POLLOUT};
  return failure(strerrordesc_np(errno));
}

Result<TlsSession::Step> Stream::try_read(std::span<char> into) {
  if (tls_) return tls_->read(into);
  const ssize_t got = recv(fd_.get(), into.data(), into.size(), 0);
  if (got > 0) return TlsSession::Step{.done = static_cast<std::size_t>(got)};
  if (got == 0) return failure("the server closed the connection");
  if (would_block()) return TlsSession::Step{.wanted = POLLIN};
  return failure(strerrordesc_np(errno));
}

Status Stream::write(std::string_view bytes, const Wait& wait, BootTime deadline) {
  while (!bytes.empty()) {
    const TlsSession::Step step = TRY(try_write(bytes));
    bytes.remove_prefix(step.done);
    if (step.wanted != 0) TRY(wait.until(fd_.get(), step.wanted, deadline));
  }
  return {};
}

Result<std::size_t> Stream::read(std::span<char> into, const Wait& wait, BootTime deadline) {
  for (;;) {
    const TlsSession::Step step = TRY(try_read(into));
    if (step.done > 0) return step.done;
    TRY(wait.until(fd_.get(), step.wanted, deadline));
  }
}

Result<std::size_t> Stream::read_ready(std::span<char> into) {
  const TlsSession::Step step = TRY(try_read(into));
  return step.done;
}

}  // namespace claimsd::redis
