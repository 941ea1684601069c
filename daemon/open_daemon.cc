#include <signal.h>

#include "daemon/admin/scrape_guard.h"
#include "daemon/admin/status_line.h"
#include "daemon/base/boot_id.h"
#include "daemon/real_daemon.h"
#include "daemon/revocation_setup.h"
#include "daemon/version.h"

namespace claimsd::daemon {

Status RealDaemon::open() {
  loop_ = TRY(loop::Loop::create());
  socket_paths_.add_inherited(options_.sockets);
  TRY(open_store());
  TRY(open_revocations());
  TRY(open_audit());
  TRY(open_service());
  TRY(open_sockets());
  return watch();
}

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

}  // namespace claimsd::daemon
