#include "client/claimsctl/doctor/gather.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/claimsctl/check_run.h"
#include "client/claimsctl/lookup.h"
#include "client/claimsctl/reply.h"
#include "daemon/config/read_file.h"

namespace claimsd::claimsctl::doctor {
namespace {

constexpr char kUsualConfig[] = "/etc/claimsd/claimsd.toml";
constexpr char kUsualHttpSocket[] = "/run/claimsd/http.sock";  // systemd/claimsd-http.socket
constexpr char kUsualUser[] = "claimsd";                       // systemd/claimsd.sysusers
constexpr std::uint32_t kPingMs = 2000;

Expected<DaemonFacts> ask_daemon(const std::string& admin_socket) {
  const auto status = read_reply(admin_get(admin_socket, "/v1/status"), admin_socket);
  if (!status) return tl::make_unexpected(status.error());
  DaemonFacts facts{.version = text_at(status->root(), "/version"),
                    .pid = count_at(status->root(), "/pid"),
                    .uptime_seconds = number_at(status->root(), "/uptime_seconds"),
                    .config_file = text_at(status->root(), "/config_file"),
                    .serves_http = truth_at(status->root(), "/http/on")};
  each_at(status->root(), "/findings", [&](const Element& finding) {
    facts.troubles.push_back({text_at(finding, "/message"), text_at(finding, "/hint")});
  });
  const auto config = read_reply(admin_get(admin_socket, "/v1/config"), admin_socket);
  if (!config) return tl::make_unexpected(config.error());
  each_at(config->root(), "/options", [&](const Element& option) {
    facts.options.push_back({text_at(option, "/option"), text_at(option, "/value")});
  });
  return facts;
}

// The uid of a claimsd process. Read from its status file, because the owner of /proc/PID is root
// for a process that is not dumpable.
std::optional<std::uint32_t> uid_of_daemon(std::uint64_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  bool is_claimsd = false;
  for (std::string line; std::getline(status, line);) {
    if (line == "Name:\tclaimsd") is_claimsd = true;
    if (!line.starts_with("Uid:\t")) continue;
    std::uint32_t uid = 0;
    const char* const digits = line.data() + std::string_view("Uid:\t").size();
    const bool read = std::from_chars(digits, line.data() + line.size(), uid).ec == std::errc();
    return is_claimsd && read ? std::optional(uid) : std::nullopt;
  }
  return std::nullopt;
}

std::uint32_t daemon_uid(const Expected<DaemonFacts>& daemon) {
  if (daemon) {
    if (const auto uid = uid_of_daemon(daemon->pid)) return *uid;
  }
  const auto usual = find_user(kUsualUser);
  return usual ? usual->uid : 0;
}

std::string directory_of(const std::string& path) {
  return std::filesystem::path(path).parent_path();
}

SocketFacts look_at_socket(const std::string& path) {
  SocketFacts facts{look_at(path), look_at(directory_of(path)), {}};
  if (facts.socket.found && *facts.socket.found)
    facts.members = members_of_gid((**facts.socket.found).gid);
  return facts;
}

// Names the Auth API by its URL if there is no default: a daemon with several would not know which
// one is meant.
PingFacts ping(const Globals& globals, const Result<config::LoadedConfig>& config) {
  const bool named = config && config->config.default_upstream() == nullptr;
  const auto client =
      make_client(globals, named ? config->config.upstreams.front().urls.front() : "");
  if (!client) return {false, client.error().code, client.error().message};
  std::uint64_t nanoseconds = 0;
  claimsd_answer* why = nullptr;
  const auto result = claimsd_ping(client->get(), kPingMs, &nanoseconds, &why);
  const Answer answer(why);
  if (result == CLAIMSD_OK) return {true, "", ""};
  return {false, std::string(answer.reason()), std::string(answer.text())};
}

Result<bool> clock_is_synchronized() {
  timex state{};
  const int clock = ::adjtimex(&state);
  if (clock < 0) return failure(fmt::format("adjtimex: {}", strerrordesc_np(errno)));
  return clock != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

std::uint64_t bytes_of_cache(const std::string& directory) {
  struct stat file {};
  return ::stat((directory + "/data.mdb").c_str(), &file) == 0
             ? static_cast<std::uint64_t>(file.st_blocks) * 512
             : 0;
}

std::vector<CertificateFacts> read_client_certificates(const config::Config& config) {
  std::vector<CertificateFacts> all;
  for (const auto& upstream : config.upstreams) {
    if (upstream.client_certificate.empty()) continue;
    const std::string path = upstream.client_certificate;
    std::ifstream file(path);
    const std::string pem{std::istreambuf_iterator<char>(file), {}};
    auto end = certificate_end(pem);
    if (!file.is_open())
      end = failure(fmt::format("cannot read {}: {}", path, strerrordesc_np(errno)));
    else if (!end)
      end = failure(fmt::format("{}: {}", path, end.error().message));
    all.push_back({upstream.name, path, std::move(end)});
  }
  return all;
}

ConfiguredFacts look_around(const config::Config& config, const Clock& clock) {
  const std::string cache = config.cache.directory;
  const std::string revocations = config.revocations.directory;
  const std::string audit = config.audit.directory;
  return {.host_key = look_at(config.cache.key_file),
          .host_key_directory = look_at(directory_of(config.cache.key_file)),
          .cache = look_at(cache),
          .revocations = look_at(revocations),
          .audit = look_at(audit),
          .cache_file_bytes = bytes_of_cache(cache),
          .cache_disk = look_at_disk_of(cache),
          .revocations_disk = look_at_disk_of(revocations),
          .audit_disk = look_at_disk_of(audit),
          .auth_apis = ask_auth_apis(config, clock),
          .client_certificates = read_client_certificates(config)};
}

// Only root can judge as the daemon's user. Without an installed claimsd there is nothing to ask.
std::vector<std::string> start_faults(const Facts& facts, const std::string& file) {
  const auto run =
      run_check({installed_daemon(), "--check", "--config", file, "--user", facts.daemon_user});
  std::vector<std::string> faults;
  if (!run || run->code != EX_CONFIG) return faults;
  std::istringstream lines(run->said);
  for (std::string line; std::getline(lines, line);)
    faults.push_back(line.starts_with(file + ": ") ? line.substr(file.size() + 2) : line);
  return faults;
}

std::string choose_config(const Wanted& wanted, const Expected<DaemonFacts>& daemon) {
  if (!wanted.config_file.empty()) return wanted.config_file;
  return daemon && !daemon->config_file.empty() ? daemon->config_file : kUsualConfig;
}

}  // namespace

Facts gather(const Globals& globals, const Wanted& wanted) {
  const SystemClock clock;
  auto daemon = ask_daemon(globals.admin_socket);
  const std::string file = choose_config(wanted, daemon);
  Facts facts{.version = CLAIMSD_VERSION,
              .caller = current_user(),
              .daemon_uid = daemon_uid(daemon),
              .daemon_user = "",
              .daemon_gids = {},
              .start_faults = {},
              .config_file = look_at(file),
              .config = config::load_config_files(file),
              .config_denied = ::access(file.c_str(), R_OK) != 0 && errno == EACCES,
              .daemon = std::move(daemon),
              .claims_socket = look_at_socket(globals.socket),
              .admin_socket = look_at_socket(globals.admin_socket),
              .http_socket = {},
              .ping = {},
              .workers = {},
              .unknown_workers = {},
              .clock = {clock.now().wall, clock_is_synchronized()},
              .configured = std::nullopt};
  const bool at_path = facts.config && !facts.config->config.http.socket.empty();
  facts.http_socket =
      look_at_socket(at_path ? facts.config->config.http.socket.native() : kUsualHttpSocket);
  facts.ping = ping(globals, facts.config);
  facts.daemon_user = name_of_uid(facts.daemon_uid);
  if (const auto user = find_user(facts.daemon_user)) facts.daemon_gids = user->gids;
  if (facts.config && facts.caller.uid == 0) facts.start_faults = start_faults(facts, file);
  for (const auto& name : wanted.workers) {
    if (auto user = find_user(name))
      facts.workers.push_back(std::move(*user));
    else
      facts.unknown_workers.push_back(name);
  }
  if (facts.config) facts.configured = look_around(facts.config->config, clock);
  return facts;
}

}  // namespace claimsd::claimsctl::doctor
