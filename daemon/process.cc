#include "daemon/process.h"

#include <fmt/core.h>
#include <pwd.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "daemon/base/printable.h"
#include "daemon/config/read_file.h"
#include "daemon/daemon.h"
#include "daemon/host/descriptor_limit.h"
#include "daemon/host/failed_start.h"
#include "daemon/host/start_count.h"
#include "daemon/log/log_events.h"
#include "daemon/log/rate_limited_log.h"
#include "daemon/log/spdlog_log.h"
#include "daemon/sandbox/process_hardening.h"
#include "daemon/sandbox/system_call_filter.h"
#include "daemon/start_check.h"
#include "daemon/unconfigured.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

constexpr const char* kDefaultUser = "claimsd";  // User= of the unit
constexpr std::size_t kMaxStatusLine = 500;
// After this many crashes at the start, each further start waits first.
constexpr std::uint32_t kStartsInARow = 3;

std::string text_of(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

LogStyle log_style(config::LogFormat format) {
  switch (format) {
    case config::LogFormat::kText: return LogStyle::kText;
    case config::LogFormat::kJournal: return LogStyle::kJournal;
    case config::LogFormat::kJson: return LogStyle::kJson;
    case config::LogFormat::kAuto: break;
  }
  return detect_log_style(std::getenv("JOURNAL_STREAM"));
}

// The daemon also runs without the filter: a failure is only a warning.
bool filtered(const Status& status, Log& log) {
  if (!status) log.warning("syscall_filter_off", "{}", status.error().message);
  return status.has_value();
}

// Root could read what the daemon cannot.
std::string user_to_check(const CommandLine& command_line) {
  if (!command_line.user.empty()) return command_line.user;
  return geteuid() == 0 && getpwnam(kDefaultUser) != nullptr ? kDefaultUser : "";
}

// Faults that would prevent a start, as the user who would start.
std::vector<std::string> faults_of_start(const CommandLine& command_line,
                                         const config::Config& config) {
  std::vector<std::string> faults = missing_credentials(config);
  const std::string user = user_to_check(command_line);
  if (!user.empty()) {
    if (const Status became = become_user(user); !became) return {became.error().message};
  }
  // Another file is a draft, which the daemon need not read.
  if (command_line.config_file == kDefaultConfig && access(kDefaultConfig, R_OK) != 0)
    faults.push_back(fmt::format("user {0} cannot read {1}: chgrp {0} {1} && chmod 0640 {1}", user,
                                 kDefaultConfig));
  for (std::string& fault : check_start(config)) faults.push_back(std::move(fault));
  return faults;
}

// `status`: of the process. Returns it after connections were refused for a while.
int cannot_start(const host::ServiceManager& manager, const host::FailedStart& failed,
                 host::StartCount& starts, const std::string& reason, int status) {
  starts.finished();
  manager.notify("STATUS=cannot start: " + printable(reason, kMaxStatusLine));
  failed.refuse(reason, host::kRefusalTime);
  return status;
}

// If all that is missing is the URL of the Auth API, waits for it, while the service manager holds the
// sockets. None: a stop signal came first.
Result<std::optional<config::LoadedConfig>> load_or_wait(
    const CommandLine& command_line, const std::vector<host::InheritedSocket>& sockets,
    const host::ServiceManager& manager, host::StartCount& starts) {
  Result<config::LoadedConfig> config = config::load_config_files(command_line.config_file);
  if (config) return std::optional(std::move(*config));
  const std::optional<std::string> missing =
      sockets.empty() ? std::nullopt : config::missing_url(command_line.config_file);
  if (!missing) return tl::make_unexpected(config.error());
  starts.finished();
  TRY(sandbox::harden_process());
  const SystemClock clock;
  SpdlogLog log(log_style(config::LogFormat::kAuto), LogLevel::kInfo, clock);
  filtered(sandbox::forbid_io_uring(), log);
  return wait_for_configuration({.config_file = command_line.config_file,
                                 .missing = *missing,
                                 .sockets = sockets,
                                 .manager = manager},
                                log);
}

}  // namespace

int check(const CommandLine& command_line) {
  const Result<config::LoadedConfig> config = config::load_config_files(command_line.config_file);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().message.c_str());
    return EX_CONFIG;
  }
  if (!command_line.syntax_only) {
    const std::vector<std::string> faults = faults_of_start(command_line, config->config);
    for (const std::string& fault : faults)
      std::fprintf(stderr, "%s: %s\n", command_line.config_file.c_str(), fault.c_str());
    if (!faults.empty()) return EX_CONFIG;
  }
  std::printf("%s: valid, %zu upstream(s)\n", command_line.config_file.c_str(),
              config->config.upstreams.size());
  return EXIT_SUCCESS;
}

int run(const CommandLine& command_line) {
  std::vector<host::InheritedSocket> sockets = host::take_inherited_sockets();
  host::ServiceManager manager = host::ServiceManager::from_environment();
  host::FailedStart failed(sockets);
  host::StartCount starts(sockets, manager);
  // Writes to peers that may be gone: libuv, libmicrohttpd, FailedStart.
  signal(SIGPIPE, SIG_IGN);
  if (starts.crashes() >= kStartsInARow) {
    const std::string reason = fmt::format("the last {} starts crashed", starts.crashes());
    std::fprintf(stderr, "%s: connections are refused for %lld s first\n", reason.c_str(),
                 static_cast<long long>(host::kRefusalTime / seconds(1)));
    failed.refuse(reason, host::kRefusalTime);
  }
  Result<std::optional<config::LoadedConfig>> found =
      load_or_wait(command_line, sockets, manager, starts);
  if (!found) {
    std::fprintf(stderr, "%s\n", found.error().message.c_str());
    return cannot_start(manager, failed, starts, found.error().message, EX_CONFIG);
  }
  if (!*found) return EXIT_SUCCESS;
  config::LoadedConfig config = std::move(**found);
  const SystemClock clock;
  SpdlogLog log(log_style(config.config.log.format), config.config.log.level, clock);
  RateLimitedLog rate_limited(log, clock, is_rate_limited);
  const std::uint64_t descriptors = host::raise_descriptor_limit();
  if (const Status fits = descriptors_fit(config.config, descriptors); !fits) {
    log.error("start_failed", "{}", fits.error().message);
    return cannot_start(manager, failed, starts, fits.error().message, EX_CONFIG);
  }
  // libcurl's TLS library would write session keys to the file it names, and with them tokens.
  unsetenv("SSLKEYLOGFILE");
  if (const Status hardened = sandbox::harden_process(); !hardened) {
    log.error("start_failed", "{}", hardened.error().message);
    return cannot_start(manager, failed, starts, hardened.error().message, EXIT_FAILURE);
  }
  // Must precede the first event loop. The full filter follows once all files are open and all
  // threads run.
  const bool filter =
      config.config.daemon.system_call_filter && filtered(sandbox::forbid_io_uring(), log);
  Result<std::unique_ptr<Daemon>> daemon =
      Daemon::create({.config = std::move(config),
                      .config_file = command_line.config_file,
                      .credentials_directory = text_of("CREDENTIALS_DIRECTORY"),
                      .sockets = std::move(sockets),
                      .descriptors = descriptors,
                      .accept_revocations = command_line.accept_revocations,
                      .manager = manager,
                      .set_log =
                          [&log](const config::LogConfig& set) {
                            log.set_level(set.level);
                            log.set_style(log_style(set.format));
                          }},
                     rate_limited);
  if (!daemon) {
    log.error("start_failed", "{}", daemon.error().message);
    return cannot_start(manager, failed, starts, daemon.error().message, EXIT_FAILURE);
  }
  failed.stop();
  if (filter) filtered(sandbox::install_system_call_filter(), log);
  starts.finished();
  (*daemon)->run();
  return EXIT_SUCCESS;
}

}  // namespace claimsd::daemon
