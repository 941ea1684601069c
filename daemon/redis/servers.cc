#include "daemon/redis/servers.h"

#include <fmt/core.h>

#include "daemon/base/parse_integer.h"
#include "daemon/config/url.h"

namespace claimsd::redis {
namespace {

Result<Endpoint> master_in(const Value& reply, const Endpoint& sentinel,
                           const std::string& master) {
  if (reply.is_nil())
    return failure(fmt::format("{}: this Sentinel knows no master {}: correct fleet.master",
                               sentinel.text(), master));
  std::uint16_t port = 0;
  if (reply.is_array() && reply.items.size() == 2)
    port = parse_integer<std::uint16_t>(reply.items[1].text).value_or(0);
  if (port == 0 || reply.items[0].text.empty())
    return failure(fmt::format("{}: cannot read its answer about master {}{}{}", sentinel.text(),
                               master, reply.is_error() ? ": " : "", reply.text));
  Endpoint found{.host = reply.items[0].text, .port = port, .tls = sentinel.tls};
  // A Sentinel must not be able to have the password sent in clear to another host.
  if (!found.tls && !config::is_loopback_host(found.host))
    return failure(fmt::format(
        "{}: the master {} is not on this host, and TLS is off: use rediss:// in fleet.sentinels",
        sentinel.text(), found.text()));
  return found;
}

}  // namespace

Result<Connection> Servers::connect() {
  const Credentials credentials = TRY(read_credentials(settings_));
  const bool by_sentinel = !settings_.sentinels.empty();
  const std::vector<Endpoint>& candidates = by_sentinel ? settings_.sentinels : settings_.servers;
  Result<Connection> connection = failure("no server is configured");
  for (std::size_t tries = 0; tries < candidates.size() && !wait_.stopping(); ++tries) {
    const Endpoint& candidate = candidates[next_ % candidates.size()];
    if (by_sentinel) {
      const Result<Endpoint> master = ask(candidate, credentials);
      connection = master ? open(*master, credentials) : tl::unexpected(master.error());
    } else {
      connection = open(candidate, credentials);
    }
    if (connection) return connection;
    ++next_;
  }
  return connection;
}

Result<Connection> Servers::connect_to(const Endpoint& endpoint) {
  const Credentials credentials = TRY(read_credentials(settings_));
  return open(endpoint, credentials);
}

Status Servers::confirm(const Endpoint& master) {
  if (settings_.sentinels.empty() || wait_.now() < next_confirmation_) return {};
  const Result<Endpoint> named = ask_again();
  if (!named) {
    sentinel_.reset();
    next_confirmation_ = wait_.now() + kSentinelPause;
    return {};
  }
  if (*named == master) return {};
  return failure(
      fmt::format("{}: the Sentinels name another master: {}", master.text(), named->text()));
}

Result<Endpoint> Servers::ask(const Endpoint& sentinel, const Credentials& credentials) {
  const BootTime deadline = wait_.now() + settings_.connect_timeout;
  sentinel_.reset();
  Connection connection = TRY(Connection::open(sentinel, credentials, resolver_, wait_, deadline));
  const Value reply = TRY(connection.call({"PING"}, deadline));
  if (reply.is_error("NOAUTH"))
    TRY(connection.authenticate(settings_.user, credentials.password, deadline));
  sentinel_ = std::move(connection);
  return ask_again();
}

Result<Endpoint> Servers::ask_again() {
  if (!sentinel_) {
    const Credentials credentials = TRY(read_credentials(settings_));
    return ask(settings_.sentinels[next_++ % settings_.sentinels.size()], credentials);
  }
  const BootTime deadline = wait_.now() + settings_.command_timeout;
  const Value reply =
      TRY(sentinel_->call({"SENTINEL", "get-master-addr-by-name", settings_.master}, deadline));
  return master_in(reply, sentinel_->endpoint(), settings_.master);
}

Result<Connection> Servers::open(const Endpoint& endpoint, const Credentials& credentials) {
  const BootTime deadline = wait_.now() + settings_.connect_timeout;
  Connection connection = TRY(Connection::open(endpoint, credentials, resolver_, wait_, deadline));
  TRY(connection.authenticate(settings_.user, credentials.password, deadline));
  const Value role = TRY(connection.call({"ROLE"}, deadline));
  if (role.is_error()) return failure(fmt::format("{}: ROLE: {}", endpoint.text(), role.text));
  if (!role.is_array() || role.items.empty() || role.items[0].text != "master")
    return failure(fmt::format("{}: this server is not a master", endpoint.text()));
  return connection;
}

}  // namespace claimsd::redis
