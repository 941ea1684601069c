#include "daemon/listeners.h"

#include "daemon/admin/routes.h"
#include "daemon/admin/scrape_guard.h"
#include "daemon/loop/loopback_socket.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

struct Listening {
  host::SocketFile file;
  Fd socket;
};

Result<Listening> listen_on(const std::filesystem::path& path, std::uint32_t mode,
                            const std::string& group) {
  const loop::ListenOptions options = TRY(host::socket_options(path, mode, group));
  loop::BoundSocket bound = TRY(loop::listen_on_unix_path(options));
  return Listening{host::SocketFile(path, bound.file), std::move(bound.fd)};
}

}  // namespace

Status open_claims_socket(const config::DaemonConfig& daemon, InheritedSockets& inherited,
                          server::Server& server) {
  if (std::optional<Fd> socket = host::take_socket(inherited, "claims"))
    return server.open(std::move(*socket));
  const loop::ListenOptions options =
      TRY(host::socket_options(daemon.socket, daemon.socket_mode, daemon.socket_group));
  return server.open(options);
}

Result<AdminListener> open_admin_socket(const config::DaemonConfig& daemon,
                                        InheritedSockets& inherited, loop::Loop& loop,
                                        http::Handler handler) {
  Listening listening;
  if (std::optional<Fd> socket = host::take_socket(inherited, "admin")) {
    listening.socket = std::move(*socket);
  } else {
    listening =
        TRY(listen_on(daemon.admin_socket, daemon.admin_socket_mode, daemon.admin_socket_group));
  }
  AdminListener opened{std::move(listening.file), nullptr};
  opened.server = TRY(admin::HttpServer::create(
      loop, std::move(listening.socket), std::move(handler), {.is_action = admin::is_action}));
  return opened;
}

Result<std::unique_ptr<admin::HttpServer>> open_scraped(const config::DaemonConfig& daemon,
                                                        loop::Loop& loop, http::Handler handler) {
  if (daemon.metrics_listen.empty()) return std::unique_ptr<admin::HttpServer>();
  Fd listening = TRY(loop::listen_on_loopback(daemon.metrics_listen));
  return admin::HttpServer::create(loop, std::move(listening), std::move(handler),
                                   admin::ScrapeCache::limits());
}

Result<FrontDoorListener> open_front_door(const config::Config& config, InheritedSockets& inherited,
                                          loop::Loop& loop) {
  FrontDoorListener opened;
  std::vector<Fd> sockets;
  bool at_path = !config.http.socket.empty();
  while (std::optional<Fd> socket = host::take_socket(inherited, "http")) {
    const loop::Reach reach = loop::reach_of(socket->get());
    if (reach == loop::Reach::kNetwork) {
      return failure(
          "the HTTP socket that systemd passed can be reached from other hosts: set ListenStream= "
          "of claimsd-http.socket to a Unix socket or an address such as 127.0.0.1:9180");
    }
    if (reach == loop::Reach::kUnix) at_path = false;
    sockets.push_back(std::move(*socket));
  }
  if (at_path) {
    Listening listening =
        TRY(listen_on(config.http.socket, config.http.socket_mode, config.http.socket_group));
    opened.file = std::move(listening.file);
    sockets.push_back(std::move(listening.socket));
  }
  if (sockets.empty()) return opened;
  opened.door = TRY(front_door::FrontDoor::create(
      std::move(sockets), front_door_settings_from(config), front_door_limits_from(config), loop));
  return opened;
}

}  // namespace claimsd::daemon
