#include "daemon/daemon.h"

#include <string.h>  // strsignal(3)

#include "daemon/admin/reload_report.h"
#include "daemon/host/own_addresses.h"
#include "daemon/real_daemon.h"
#include "daemon/version.h"

namespace claimsd::daemon {
namespace {

// A resolver may block the fetch thread for half a minute. After this time it does not recover.
constexpr Duration kFetchThreadPatience = seconds(120);

}  // namespace

void RealDaemon::run() {
  log_.info("started", "claimsd {} is ready on {}: {} upstream(s), {} cached entries", kVersion,
            config().daemon.socket.string(), config().upstreams.size(), cache_->entries());
  reporter_->ready();
  loop_->run();
  loop::block_stop_signals();
  // Before the sockets close: from here on workers use the socket, and find the daemon gone.
  lease_map_->stop();
  if (audit_) {
    audit_->note({.event = audit::Event::kStopped});
    audit_->stop();
  }
  log_.info("stopped", "answered {} queries, made {} requests", service_->counters().queries,
            service_->counters().upstream_requests);
}

// Sets the timer for everything this iteration changed. A timer that fires early is harmless, and
// cheaper than setting it again for every query.
void RealDaemon::before_wait() {
  cache_->wipe_opened();
  const std::optional<BootTime> wake = service_->wake_time();
  if (wake && (!tick_->active() || *wake < armed_for_)) {
    armed_for_ = *wake;
    tick_->start(*wake - clock_.now().boot);
  }
  if (stopping_ && service_->idle() && server_->drained() && (!http_.door || http_.door->idle()) &&
      revocation_log_->idle() && hold_->idle() && (!audit_ || audit_->idle()))
    loop_->stop();
}

void RealDaemon::tick() {
  service_->tick();
}

void RealDaemon::reload(std::optional<std::uint32_t> by, std::string who, config::ReloadDone done) {
  if (stopping_) reloader_->stop();
  // sd_notify(3): RELOADING=1 needs CLOCK_MONOTONIC, which hrtime() is.
  options_.manager.notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                                      loop::Loop::hrtime() / std::chrono::microseconds(1)));
  reloader_->request(
      [this, by, who = std::move(who), done = std::move(done)](const config::ReloadResult& result) {
        admin::report_reload(result, by, who, options_.config_file, log_, audit_.get());
        if (!stopping_) options_.manager.notify("READY=1");
        done(result);
      });
}

// Everything that can fail comes first. After that the new configuration is in effect.
Status RealDaemon::apply(config::LoadedConfig&& fresh) {
  TRY(descriptors_fit(fresh.config, options_.descriptors));
  const bool access_changes = !has_same_access(config().daemon, fresh.config.daemon);
  options_.config = std::move(fresh);
  log_level_ = config().log.level;
  options_.set_log(config().log);
  server_->reconfigure(server_settings_from(config()));
  if (http_.door) http_.door->reconfigure(front_door_settings_from(config()));
  service_->reconfigure(policy());
  if (!access_changes) return {};
  // A worker that lost access could still read the map it holds.
  lease_map_->replace();
  service_->republish();
  server_->replace_map(lease_map_->descriptor());
  if (http_.door) http_.door->use_map(lease_map_->descriptor());
  return {};
}

void RealDaemon::certificates_changed(const upstream::CredentialReport& report) {
  monitor_->certificates_changed(report);
  if (!audit_ || report.is_first || !report.error.empty()) return;
  audit_->note({.event = audit::Event::kConfigured,
                .detail = fmt::format("upstream.{}: certificate files reloaded",
                                      config().upstreams.at(report.upstream).name)});
}

void RealDaemon::set_log_level(std::optional<std::uint32_t> by, LogLevel level) {
  const LogLevel before = std::exchange(log_level_, level);
  config::LogConfig log = config().log;
  log.level = level;
  options_.set_log(log);
  log_.info("log_level", "{} set the log level to {} until the next reload or restart",
            operator_named(by), name_of(level));
  if (!audit_) return;
  audit_->note({.event = audit::Event::kConfigured,
                .uid = by,
                .detail = fmt::format("log.level: {} -> {} until the next reload or restart",
                                      name_of(before), name_of(level))});
}

void RealDaemon::begin_stop(int signal_number) {
  if (stopping_) return loop_->stop();  // second signal: stop immediately
  stopping_ = true;
  socket_paths_.stop();
  server_->stop_listening();
  log_.info("stopping", "received signal {}: {} queries to answer first", strsignal(signal_number),
            service_->flights().waiting() + service_->pending_answers());
  reporter_->stopping();
  service_->stop();
  stop_deadline_->start(config().daemon.stop_timeout);
}

// A fault that a restart fixes.
std::optional<std::string> RealDaemon::trouble() const {
  if (upstream_->silent_for() <= kFetchThreadPatience) return std::nullopt;
  return fmt::format("the fetch thread has been stuck for {} s",
                     std::chrono::duration_cast<seconds>(upstream_->silent_for()).count());
}

claims::Policy RealDaemon::policy() const {
  claims::Policy policy = policy_from(config(), host::own_addresses());
  if (fleet_opened_) policy.revocations.author = fleet_opened_->identity.id;
  return policy;
}

admin::DaemonStatus RealDaemon::status() const {
  return gather_status({.config = config(),
                        .config_file = options_.config_file,
                        .started = started_,
                        .now = clock_.now(),
                        .stopping = stopping_,
                        .server = *server_,
                        .front_door = http_.door.get(),
                        .service = *service_,
                        .cache = *cache_,
                        .lease_map = *lease_map_,
                        .monitor = *monitor_,
                        .sockets = socket_paths_.all(),
                        .revocations = revocation_log_->backlog(),
                        .audit = audit_.get(),
                        .fleet = fleet_.get()});
}
Result<std::unique_ptr<Daemon>> Daemon::create(DaemonOptions options, Log& log) {
  auto daemon = std::make_unique<RealDaemon>(std::move(options), log);
  TRY(daemon->open());
  return std::unique_ptr<Daemon>(std::move(daemon));
}

}  // namespace claimsd::daemon
