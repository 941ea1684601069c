#include <fmt/core.h>

#include <array>
#include <utility>

#include "tests/bench/peers.h"
#include "tests/bench/socket.h"
#include "tests/bench/workload.h"

namespace claimsd::bench {
namespace {

// As fast as nginx's documentation allows: one process, no access log, cache in memory, files kept
// open.
constexpr std::string_view kConfiguration = R"(daemon off;
master_process off;
pid {0}/nginx.pid;
error_log {0}/nginx.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=1h;
  open_file_cache_valid 1h;
  client_body_temp_path {0}/nginx-body;
  fastcgi_temp_path {0}/nginx-fastcgi;
  uwsgi_temp_path {0}/nginx-uwsgi;
  scgi_temp_path {0}/nginx-scgi;
  proxy_temp_path {0}/nginx-temp;
  proxy_cache_path {0}/nginx-cache keys_zone=claims:1m inactive=1h use_temp_path=off;
  server {{
    listen unix:{0}/nginx.sock;
    location / {{
      proxy_pass http://127.0.0.1:{1};
      proxy_cache claims;
      proxy_cache_key "$uri $http_authorization";
      proxy_cache_valid 200 1h;
      add_header X-Cache-Status $upstream_cache_status;
    }}
  }}
}}
)";

class Nginx final : public Contender {
 public:
  Nginx(Process server, Fd fd) : server_(std::move(server)), fd_(std::move(fd)) {}

  std::string name() const override { return "nginx"; }
  std::vector<pid_t> servers() const override { return {server_.pid()}; }
  Status ask() override {
    TRY(send_all(fd_.get(), get_));
    have_ = 0;
    do {
      have_ += TRY(receive_some(fd_.get(), buffer_.data() + have_, buffer_.size() - have_));
    } while (!answer().ends_with(claims_));
    return {};
  }
  Status check() override {
    if (!answer().starts_with("HTTP/1.1 200")) return failure("nginx did not answer 200");
    if (answer().find("\r\nX-Cache-Status: HIT\r\n") == std::string_view::npos)
      return failure("nginx did not answer from its cache");
    return {};
  }

 private:
  std::string_view answer() const { return {buffer_.data(), have_}; }

  Process server_;
  Fd fd_;
  std::array<char, 4096> buffer_{};
  std::size_t have_ = 0;
  const std::string claims_ = claims_json();
  const std::string get_ =
      fmt::format("GET /api/me/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
                  make_token(0));
};

}  // namespace

Result<ContenderPtr> start_nginx(const Scratch& scratch, std::uint16_t upstream_port) {
  const std::string folder = scratch.path("nginx");
  const std::string configuration = TRY(
      scratch.write("nginx.conf", fmt::format(kConfiguration, scratch.path("."), upstream_port)));
  const std::string log = scratch.path("nginx.log");
  auto server = TRY(Process::start({"nginx", "-e", log, "-c", configuration},
                                   {.log_path = log, .environment = {}}));
  const std::string socket = scratch.path("./nginx.sock");
  TRY(server.wait_listening(socket, std::chrono::seconds(5)));
  auto connection = TRY(connect_unix(socket));
  auto nginx = std::make_unique<Nginx>(std::move(server), std::move(connection));
  TRY(nginx->ask());  // the miss that fills the cache
  return nginx;
}

}  // namespace claimsd::bench
