#include "daemon/unconfigured.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <memory>

#include "daemon/admin/config_routes.h"
#include "daemon/admin/http_server.h"
#include "daemon/admin/reload_report.h"
#include "daemon/config/read_file.h"
#include "daemon/host/service_reporter.h"
#include "daemon/http/json_response.h"
#include "daemon/loop/signal_watcher.h"
#include "daemon/loop/stream_listener.h"
#include "daemon/loop/timer.h"
#include "daemon/operator_actions.h"
#include "proto/codec.h"

namespace claimsd::daemon {
namespace {

constexpr char kReload[] = "systemctl reload claimsd";
constexpr std::size_t kMaxRefusal = 512;  // a Failure frame with its text
// After a successful reload: how often to look whether its response was sent, and how long.
constexpr Duration kLook = milliseconds(10);
constexpr int kLooks = 100;

// The URLs that `fresh` sets, which were not set before.
std::vector<config::Change> urls_of(const config::LoadedConfig& fresh) {
  std::vector<config::Change> changes;
  for (const config::Setting& setting : fresh.settings) {
    const bool is_url = setting.option.starts_with("upstream.") &&
                        (setting.option.ends_with(".url") || setting.option.ends_with(".urls"));
    if (!is_url || setting.origin == config::kDefaultOrigin) continue;
    changes.push_back({setting.option, "not set", setting.value, setting.origin});
  }
  return changes;
}

class Unconfigured {
 public:
  Unconfigured(UnconfiguredOptions options, Log& log)
      : options_(std::move(options)),
        log_(log),
        reason_(
            fmt::format("not configured: set {} in {}", options_.missing, options_.config_file)) {}

  Status open() {
    loop_ = TRY(loop::Loop::create());
    for (const host::InheritedSocket& socket : options_.sockets) TRY(listen(socket));
    for (const int number : {SIGTERM, SIGINT}) {
      signals_.push_back(
          TRY(loop::SignalWatcher::create(*loop_, number, [this](int) { loop_->stop(); })));
    }
    signals_.push_back(TRY(loop::SignalWatcher::create(
        *loop_, SIGHUP, [this](int) { static_cast<void>(reload({}, "SIGHUP")); })));
    look_.emplace(*loop_, [this] { stop_once_answered(); });
    reporter_ = TRY(host::ServiceReporter::create(
        *loop_, options_.manager,
        [this] { return fmt::format("Degraded: {}; then: {}", reason_, kReload); },
        [] { return std::nullopt; }, log_));
    return {};
  }

  std::optional<config::LoadedConfig> run() {
    log_.warning("not_configured", "{}; every query is answered unavailable", reason_);
    reporter_->ready();
    loop_->run();
    return std::move(found_);
  }

 private:
  Status listen(const host::InheritedSocket& socket) {
    const bool claims = socket.name == "claims";
    if (!claims && socket.name != "admin" && socket.name != "http") return {};
    Fd copy(fcntl(socket.fd.get(), F_DUPFD_CLOEXEC, 0));
    if (claims) {
      workers_ = std::make_unique<loop::StreamListener>(TRY(loop::StreamListener::adopt(
          *loop_, std::move(copy),
          {.on_connection = [this](const Fd& worker) { refuse(worker); },
           .on_error = [](int) {}})));
      return {};
    }
    const bool admin = socket.name == "admin";
    servers_.push_back(TRY(admin::HttpServer::create(*loop_, std::move(copy),
                                                     [this, admin](const http::Request& request) {
                                                       return admin ? respond(request) : refusal();
                                                     })));
    return {};
  }

  void refuse(const Fd& worker) const {
    std::array<char, kMaxRefusal> frame;  // NOLINT: only what was written is read
    const auto code = static_cast<std::uint16_t>(proto::FailureCode::kNotConfigured);
    const std::size_t size =
        proto::encode(proto::Failure{.code = code, .text = reason_}, 0, frame.data(), frame.size());
    loop::send_once(worker.get(), {frame.data(), size});
  }

  http::Response refusal() const {
    return http::error_response(503, "not_configured", reason_, kReload);
  }

  // The rest of the admin API needs a configuration.
  http::Response respond(const http::Request& request) {
    if (request.method == "POST" && request.path == "/v1/reload")
      return admin::reload_response(reload(request.uid(), operator_named(request.uid())));
    return refusal();
  }

  // Blocks on the disk, which delays refusals only.
  config::ReloadResult reload(std::optional<std::uint32_t> by, const std::string& who) {
    config::ReloadResult result;
    Result<config::LoadedConfig> fresh = config::load_config_files(options_.config_file);
    if (fresh) {
      result.changes = urls_of(*fresh);
      found_ = std::move(*fresh);
      if (workers_) workers_->pause();  // new ones wait for the daemon that can answer them
      look_->start(kLook, kLook);
    } else {
      result = {
          .outcome = config::ReloadOutcome::kBad, .message = fresh.error().message, .changes = {}};
    }
    admin::report_reload(result, by, who, options_.config_file, log_, nullptr);
    return result;
  }

  void stop_once_answered() {
    const bool idle = std::all_of(servers_.begin(), servers_.end(),
                                  [](const auto& server) { return server->connections() == 0; });
    if (idle || ++looks_ == kLooks) loop_->stop();
  }

  UnconfiguredOptions options_;
  Log& log_;
  const std::string reason_;
  std::optional<config::LoadedConfig> found_;
  int looks_ = 0;
  // Destroyed in reverse order: the loop last.
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<loop::StreamListener> workers_;
  std::vector<std::unique_ptr<admin::HttpServer>> servers_;
  std::vector<loop::SignalWatcher> signals_;
  std::optional<loop::Timer> look_;
  std::unique_ptr<host::ServiceReporter> reporter_;
};

}  // namespace

Result<std::optional<config::LoadedConfig>> wait_for_configuration(UnconfiguredOptions options,
                                                                   Log& log) {
  Unconfigured waiting(std::move(options), log);
  TRY(waiting.open());
  return waiting.run();
}

}  // namespace claimsd::daemon
