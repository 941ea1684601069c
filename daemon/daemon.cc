#include "daemon/daemon.h"

#include <signal.h>
#include <unistd.h>

#include <optional>

#include "daemon/admin/event_feed.h"
#include "daemon/admin/reload_report.h"
#include "daemon/admin/reloader.h"
#include "daemon/admin/routes.h"
#include "daemon/admin/scrape_guard.h"
#include "daemon/admin/status_line.h"
#include "daemon/admin/upstream_monitor.h"
#include "daemon/answer_router.h"
#include "daemon/audit/recorder.h"
#include "daemon/base/boot_id.h"
#include "daemon/daemon_status.h"
#include "daemon/fleet_member.h"
#include "daemon/fleet_setup.h"
#include "daemon/host/own_addresses.h"
#include "daemon/host/service_reporter.h"
#include "daemon/host/socket_paths.h"
#include "daemon/listeners.h"
#include "daemon/loop/prepare.h"
#include "daemon/loop/signal_watcher.h"
#include "daemon/loop/timer.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/operator_actions.h"
#include "daemon/revocation_setup.h"
#include "daemon/shm/acknowledgement_hold.h"
#include "daemon/shm/lease_map.h"
#include "daemon/store/claims_cache.h"
#include "daemon/store/hmac_keyer.h"
#include "daemon/store/host_key.h"
#include "daemon/store/private_directory.h"
#include "daemon/store/revocation_writer.h"
#include "daemon/upstream_tester.h"
#include "daemon/version.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

// A resolver may block the fetch thread for half a minute. After this time it does not recover.
constexpr Duration kFetchThreadPatience = seconds(120);

class RealDaemon final : public Daemon {
 public:
  RealDaemon(DaemonOptions options, Log& log) : options_(std::move(options)), log_(log) {}

  Status open() {
    loop_ = TRY(loop::Loop::create());
    socket_paths_.add_inherited(options_.sockets);
    TRY(open_store());
    TRY(open_revocations());
    TRY(open_audit());
    TRY(open_service());
    TRY(open_sockets());
    return watch();
  }
  void run() override;

 private:
  const config::Config& config() const { return options_.config.config; }
  store::HostKeySource host_key_source() const;
  Status open_store();
  Status open_revocations();
  Status open_audit();
  Status open_service();
  Status open_sockets();
  Status watch();
  admin::AdminServices admin_services();
  claims::Policy policy() const;
  claims::RevocationLog& revocation_log() {
    if (fleet_) return *fleet_;
    return *revocation_log_;
  }
  claims::AuditSink& audit_sink() {
    if (audit_) return *audit_;
    return no_audit_;
  }
  void before_wait();
  void tick();
  void begin_stop(int signal_number);
  void reload(std::optional<std::uint32_t> by, std::string who, config::ReloadDone done);
  Status apply(config::LoadedConfig&& fresh);
  void certificates_changed(const upstream::CredentialReport& report);
  void set_log_level(std::optional<std::uint32_t> by, LogLevel level);
  admin::DaemonStatus status() const;
  std::optional<std::string> trouble() const;

  DaemonOptions options_;
  Log& log_;
  SystemClock clock_;
  SystemRandom random_;
  const Now started_ = clock_.now();
  std::string boot_id_;
  bool stopping_ = false;
  LogLevel log_level_ = LogLevel::kInfo;  // in effect; set from the configuration at each reload

  // Destroyed in reverse order, so that none calls a component already destroyed.
  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<store::LmdbClaimsCache> cache_;
  std::optional<store::HmacKeyer> keyer_;
  std::optional<store::HmacFingerprinter> fingerprinter_;  // of this host
  std::optional<OpenedFleet> fleet_opened_;                // none: this host is in no fleet
  std::vector<claims::Rule> known_rules_;  // until the service takes them, as the next
  std::vector<claims::Withdrawal> known_withdrawals_;
  std::string accepted_;  // an older set of revocations; until the audit log takes it
  claims::SetHead known_head_;
  std::unique_ptr<store::RevocationWriter> revocation_log_;
  std::optional<shm::AcknowledgementHold> hold_;
  std::unique_ptr<FleetMember> fleet_;  // null: this host is in no fleet
  std::optional<admin::EventFeed> events_;
  std::unique_ptr<admin::UpstreamMonitor> monitor_;
  std::unique_ptr<shm::LeaseMap> lease_map_;
  std::optional<audit::Fingerprinter> audit_names_;  // until the recorder takes it
  std::optional<store::DirectoryLock> audit_lock_;
  claims::NoAuditSink no_audit_;
  std::unique_ptr<audit::Recorder> audit_;  // null: no audit log is kept
  std::unique_ptr<server::Server> server_;
  FrontDoorListener http_;
  std::optional<AnswerRouter> answers_;
  std::unique_ptr<claims::ClaimsService> service_;
  std::optional<UpstreamTester> tester_;
  std::optional<OperatorActions> actions_;
  std::unique_ptr<upstream::FetchThread> upstream_;
  AdminListener admin_;
  std::unique_ptr<admin::HttpServer> scraped_;
  std::vector<loop::SignalWatcher> signals_;
  std::unique_ptr<admin::Reloader> reloader_;
  std::optional<loop::TimerFd> tick_;
  std::optional<loop::Timer> stop_deadline_;
  BootTime armed_for_{};  // valid while tick_ is active
  std::optional<loop::Prepare> before_wait_;
  host::SocketPaths socket_paths_;
  std::unique_ptr<host::ServiceReporter> reporter_;
};

store::HostKeySource RealDaemon::host_key_source() const {
  const bool credential = config().cache.key_file.parent_path() == options_.credentials_directory;
  return credential ? store::HostKeySource::kCredential : store::HostKeySource::kFile;
}

Status RealDaemon::open_store() {
  const config::CacheConfig& cache = config().cache;
  boot_id_ = TRY(read_boot_id());
  const Secret host_key = TRY(store::load_host_key(cache.key_file, host_key_source(), random_));
  cache_ = TRY(store::LmdbClaimsCache::open(
      {.directory = cache.directory, .map_size = cache.max_bytes, .boot_id = boot_id_}, host_key,
      clock_, random_, log_));
  if (config().audit.enabled) audit_names_ = TRY(audit::Fingerprinter::create(host_key));
  keyer_ = TRY(store::HmacKeyer::create(cache_->token_key_key(), key_scopes_from(config())));
  return {};
}

Status RealDaemon::open_revocations() {
  OpenedRevocations opened =
      TRY(daemon::open_revocations({.config = config(),
                                    .boot_id = boot_id_,
                                    .host_key_source = host_key_source(),
                                    .accepted_digest = options_.accept_revocations},
                                   random_, clock_.now(), log_));
  fingerprinter_ = std::move(opened.fingerprinter);
  known_rules_ = opened.file->take_rules();
  known_withdrawals_ = opened.file->take_withdrawals();
  accepted_ = std::move(opened.accepted);
  fleet_opened_ =
      TRY(open_fleet({config(), options_.accept_revocations},
                     {*opened.file, known_rules_, known_withdrawals_}, accepted_, random_, log_));
  known_head_ = opened.file->head();
  revocation_log_ =
      TRY(store::RevocationWriter::create(std::move(opened.file), *loop_, clock_, log_,
                                          {.on_head = [this](const claims::SetHead& head) {
                                            if (audit_) audit_->note_revocations(head);
                                          }}));
  return {};
}

Status RealDaemon::open_audit() {
  const config::AuditConfig& audit = config().audit;
  if (!audit.enabled) return {};
  TRY(store::ensure_private_directory(audit.directory.native()));
  audit_lock_ = TRY(store::DirectoryLock::acquire(audit.directory.native()));
  const std::string origin = TRY(audit::audit_origin());
  audit_ = TRY(audit::Recorder::create(
      audit_settings_from(config(), origin), std::move(*audit_names_), *loop_, clock_, log_,
      {.recorded =
           [this](std::span<const audit::Completion> answers, bool last) {
             const server::Server::WriteBatch together(*server_, last);
             for (const audit::Completion& one : answers)
               service_->recorded(one.ticket, one.verdict == claims::AuditDecision::kProceed);
           },
       .peer = [this](std::uint64_t connection) { return answers_->peer(connection); }}));
  audit_->note_revocations(known_head_);
  if (!accepted_.empty())
    audit_->note({.event = audit::Event::kConfigured, .detail = std::move(accepted_)});
  audit_->note({.event = audit::Event::kStarted, .detail = fmt::format("version {}", kVersion)});
  return {};
}

Status RealDaemon::open_service() {
  // Created first, so called last in an iteration, after the effects of all others.
  before_wait_.emplace(*loop_, [this] { before_wait(); });
  shm::LeaseMapSettings map = lease_map_settings_from(config(), boot_id_);
  if (fleet_opened_) map.fingerprinter = &fleet_opened_->fingerprinter;
  lease_map_ = shm::LeaseMap::create(map, *loop_, clock_, random_, log_);
  hold_.emplace(*loop_, clock_, lease_map_->acknowledgements_held_until());
  events_.emplace(*loop_, clock_);
  monitor_ = std::make_unique<admin::UpstreamMonitor>(upstream_rows_from(config()), clock_,
                                                      *events_, log_);
  server_ = TRY(server::Server::create(*loop_, server_settings_from(config()), log_));
  server_->on_refused([this](std::uint32_t uid, proto::FailureCode why) {
    events_->add(
        {.kind = admin::EventKind::kPeerRefused, .uid = uid, .why = proto::sentence_of(why)});
  });
  upstream_ = TRY(upstream::FetchThread::create(
      upstream_settings_from(config()),
      [this](claims::FlightId id, const claims::FetchOutcome& outcome) {
        if (!tester_->on_complete(id, outcome)) service_->on_complete(id, outcome);
      },
      *loop_, log_,
      [this](const upstream::CredentialReport& report) { certificates_changed(report); }));
  http_ = TRY(open_front_door(config(), options_.sockets, *loop_));
  if (http_.door) http_.door->use_map(lease_map_->descriptor());
  answers_.emplace(*server_, http_.door.get());
  tester_.emplace(*upstream_, log_);
  if (fleet_opened_)
    fleet_ = TRY(FleetMember::create(member_options_from(config(), *fleet_opened_),
                                     {.loop = *loop_,
                                      .clock = clock_,
                                      .random = random_,
                                      .log = log_,
                                      .revocations = *revocation_log_,
                                      .hold = *hold_}));
  service_ = std::make_unique<claims::ClaimsService>(
      policy(),
      claims::Dependencies{.clock = clock_,
                           .random = random_,
                           .keyer = *keyer_,
                           .cache = *cache_,
                           .upstream = *upstream_,
                           .sink = *answers_,
                           .observer = *monitor_,
                           .publisher = lease_map_->publisher(),
                           .fingerprinter = fleet_ ? fleet_opened_->fingerprinter : *fingerprinter_,
                           .revocation_log = revocation_log(),
                           .audit = audit_sink(),
                           .host_fingerprinter = fleet_ ? &*fingerprinter_ : nullptr});
  if (fleet_) fleet_->restore(known_rules_, known_withdrawals_);
  service_->restore(std::exchange(known_rules_, {}), std::exchange(known_withdrawals_, {}));
  if (http_.door) http_.door->connect(*service_);
  actions_.emplace(OperatorActions::Dependencies{.service = *service_,
                                                 .audit = audit_.get(),
                                                 .events = *events_,
                                                 .hold = *hold_,
                                                 .log = log_,
                                                 .fleet = fleet_.get()});
  if (fleet_) fleet_->connect(*service_, actions_->fleet_hooks());
  server_->connect(
      {.service = *service_,
       .clock = clock_,
       .daemon_version = kVersion,
       .find_upstream = [this](std::string_view url) { return find_upstream(config(), url); },
       .map_descriptor = lease_map_->descriptor(),
       .takes_reports = audit_ != nullptr});
  return {};
}

Status RealDaemon::open_sockets() {
  TRY(open_claims_socket(config().daemon, options_.sockets, *server_));
  admin_ = TRY(open_admin_socket(config().daemon, options_.sockets, *loop_,
                                 [services = admin_services()](const http::Request& request) {
                                   return admin::dispatch(services, request);
                                 }));
  scraped_ = TRY(open_scraped(
      config().daemon, *loop_,
      [services = admin_services(), cache = admin::ScrapeCache()](
          const http::Request& request) mutable { return cache.dispatch(services, request); }));
  socket_paths_.add_own("claims", config().daemon.socket);
  socket_paths_.add_own("admin", config().daemon.admin_socket);
  socket_paths_.add_own("http", config().http.socket);
  return {};
}

// The admin API's access to the components.
admin::AdminServices RealDaemon::admin_services() {
  admin::AdminServices services;
  services.status = [this] { return status(); };
  services.process = read_process_usage;
  actions_->provide(services);
  if (fleet_) fleet_->provide(services);
  if (audit_) {
    services.audit = [this](const audit::SearchFilter& query, audit::Recorder::PageDone done) {
      audit_->search(query, std::move(done));
    };
  }
  services.upstream_named = [this](std::string_view name) {
    return upstream_named(config(), name);
  };
  services.inspect = [this](const auto& after, std::size_t most, const auto& visit) {
    return service_->inspect(after, most, visit);
  };
  services.inspect_token = [this](std::string_view token, const auto& visit) {
    service_->inspect_token(token, visit);
  };
  services.test_upstream = [this](std::string_view name, std::string_view token,
                                  std::optional<std::uint32_t> by, admin::UpstreamTestDone done) {
    return tester_->start(config(), name, token, operator_named(by), std::move(done));
  };
  services.retry_now = [this](claims::UpstreamId upstream, std::optional<std::uint32_t> by) {
    log_.info("retry_requested", "{} ended the backoff of {}", operator_named(by),
              config().upstreams.at(upstream).name);
    return service_->retry_now(upstream);
  };
  services.now = [this] { return clock_.now(); };
  services.events = &*events_;
  services.peers = &server_->peers();
  services.settings = [this]() -> const std::vector<config::Setting>& {
    return options_.config.settings;
  };
  services.reload = [this](std::optional<std::uint32_t> by, config::ReloadDone done) {
    reload(by, operator_named(by), std::move(done));
  };
  services.log_levels = [this] {
    return admin::LogLevels{.now = log_level_, .configured = config().log.level};
  };
  services.set_log_level = [this](std::optional<std::uint32_t> by, LogLevel level) {
    set_log_level(by, level);
  };
  return services;
}

Status RealDaemon::watch() {
  for (const int number : {SIGTERM, SIGINT}) {
    signals_.push_back(
        TRY(loop::SignalWatcher::create(*loop_, number, [this](int got) { begin_stop(got); })));
  }
  reporter_ = TRY(host::ServiceReporter::create(
      *loop_, options_.manager, [this] { return admin::status_line(status()); },
      [this] { return trouble(); }, log_));
  reloader_ = std::make_unique<admin::Reloader>(
      *loop_, options_.config_file, options_.config,
      [this](config::LoadedConfig&& fresh) { return apply(std::move(fresh)); });
  signals_.push_back(TRY(loop::SignalWatcher::create(
      *loop_, SIGHUP, [this](int) { reload({}, "SIGHUP", [](const config::ReloadResult&) {}); })));
  TRY(socket_paths_.watch(*loop_, log_));
  log_level_ = config().log.level;
  tick_ = TRY(loop::TimerFd::create(*loop_, [this] { tick(); }));
  stop_deadline_.emplace(*loop_, [this] {
    log_.warning("stop_forced", "{} queries were not answered within daemon.stop_timeout",
                 service_->flights().waiting());
    loop_->stop();
  });
  return {};
}

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

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(DaemonOptions options, Log& log) {
  auto daemon = std::make_unique<RealDaemon>(std::move(options), log);
  TRY(daemon->open());
  return std::unique_ptr<Daemon>(std::move(daemon));
}

}  // namespace claimsd::daemon
