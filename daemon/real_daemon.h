// real_daemon.h: the components of the daemon, their owner and their order. open_daemon.cc creates and
// connects them, daemon.cc runs, reloads and stops them. Loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/admin/event_feed.h"
#include "daemon/admin/reloader.h"
#include "daemon/admin/routes.h"
#include "daemon/admin/upstream_monitor.h"
#include "daemon/answer_router.h"
#include "daemon/audit/recorder.h"
#include "daemon/daemon.h"
#include "daemon/daemon_status.h"
#include "daemon/fleet_member.h"
#include "daemon/fleet_setup.h"
#include "daemon/host/service_reporter.h"
#include "daemon/host/socket_paths.h"
#include "daemon/listeners.h"
#include "daemon/loop/prepare.h"
#include "daemon/loop/signal_watcher.h"
#include "daemon/loop/timer.h"
#include "daemon/loop/timer_fd.h"
#include "daemon/operator_actions.h"
#include "daemon/shm/acknowledgement_hold.h"
#include "daemon/shm/lease_map.h"
#include "daemon/store/claims_cache.h"
#include "daemon/store/hmac_keyer.h"
#include "daemon/store/host_key.h"
#include "daemon/store/private_directory.h"
#include "daemon/store/revocation_writer.h"
#include "daemon/upstream_tester.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {

class RealDaemon final : public Daemon {
 public:
  RealDaemon(DaemonOptions options, Log& log) : options_(std::move(options)), log_(log) {}

  Status open();
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

}  // namespace claimsd::daemon
