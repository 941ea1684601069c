#include "daemon/redis/connection.h"

#include <fmt/core.h>

#include <array>

#include "daemon/redis/command.h"

namespace claimsd::redis {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;

}  // namespace

Connection::Connection(Endpoint endpoint, Stream stream, const Wait& wait)
    : endpoint_(std::move(endpoint)),
      stream_(std::move(stream)),
      wait_(wait),
      replies_(std::make_unique<ReplyReader>()) {}

Error Connection::named(const Error& error) const {
  return {fmt::format("{}: {}", endpoint_.text(), error.message)};
}

Result<Connection> Connection::open(const Endpoint& endpoint, const Credentials& credentials,
                                    Resolver& resolver, const Wait& wait, BootTime deadline) {
  Result<Stream> stream = Stream::connect(endpoint, *credentials.tls, resolver, wait, deadline);
  if (!stream) return failure(fmt::format("{}: {}", endpoint.text(), stream.error().message));
  return Connection(endpoint, std::move(*stream), wait);
}

Status Connection::authenticate(const std::string& user, const Secret& password,
                                BootTime deadline) {
  if (password.empty()) return {};
  TRY(send(format_auth(user, password).view(), deadline));
  const Value reply = TRY(receive(deadline));
  if (reply.is_status("OK")) return {};
  return tl::unexpected(
      named({fmt::format("AUTH as {}: {}", user.empty() ? "the default user" : user,
                         reply.is_error() ? reply.text : "unexpected reply")}));
}

Status Connection::send(std::string_view commands, BootTime deadline) {
  const Status sent = stream_.write(commands, wait_, deadline);
  if (!sent) return tl::unexpected(named(sent.error()));
  return {};
}

Result<Value> Connection::receive(BootTime deadline) {
  std::array<char, kReadSize> buffer{};
  for (;;) {
    Result<std::optional<Value>> reply = replies_->next();
    if (!reply) return tl::unexpected(named(reply.error()));
    if (*reply) return std::move(**reply);
    const Result<std::size_t> got = stream_.read(buffer, wait_, deadline);
    if (!got) return tl::unexpected(named(got.error()));
    const Status fed = replies_->feed({buffer.data(), *got});
    if (!fed) return tl::unexpected(named(fed.error()));
  }
}

Result<std::optional<Value>> Connection::receive_ready() {
  std::array<char, kReadSize> buffer{};
  for (;;) {
    Result<std::optional<Value>> reply = replies_->next();
    if (!reply) return tl::unexpected(named(reply.error()));
    if (*reply) return reply;
    const Result<std::size_t> got = stream_.read_ready(buffer);
    if (!got) return tl::unexpected(named(got.error()));
    if (*got == 0) return std::optional<Value>();
    const Status fed = replies_->feed({buffer.data(), *got});
    if (!fed) return tl::unexpected(named(fed.error()));
  }
}

Result<Value> Connection::call(std::initializer_list<std::string_view> arguments,
                               BootTime deadline) {
  TRY(send(format_command(arguments), deadline));
  return receive(deadline);
}

}  // namespace claimsd::redis
