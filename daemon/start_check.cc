#include "daemon/start_check.h"

#include <errno.h>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "daemon/fleet_setup.h"
#include "daemon/host/tcp_listeners.h"
#include "daemon/loop/loopback_socket.h"
#include "daemon/redis/credentials.h"
#include "daemon/store/private_directory.h"
#include "daemon/upstream/credential_files.h"
#include "daemon/wiring.h"

namespace claimsd::daemon {
namespace {

namespace fs = std::filesystem;
using Faults = std::vector<std::string>;

// systemd.exec(5), LoadCredential=: they exist while the service runs.
constexpr std::string_view kCredentials = "/run/credentials/";
constexpr const char* kCredentialStores[] = {"/etc/credstore",     "/etc/credstore.encrypted",
                                             "/run/credstore",     "/run/credstore.encrypted",
                                             "/usr/lib/credstore", "/usr/lib/credstore.encrypted"};
// The unit and tmpfiles.d create these for the daemon.
constexpr std::string_view kMadeByUnit[] = {"/var/lib/claimsd", "/run/claimsd-cache",
                                            "/run/claimsd", "/run/claimsd-admin"};

bool is_credential(const std::string& path) {
  return path.starts_with(kCredentials);
}

bool is_made_by_unit(const std::string& path) {
  return std::any_of(std::begin(kMadeByUnit), std::end(kMadeByUnit), [&](std::string_view made) {
    return path.starts_with(made) && (path.size() == made.size() || path[made.size()] == '/');
  });
}

std::string user_name() {
  const passwd* const entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", geteuid());
}

// A directory that does not exist; the daemon creates its last component.
void check_creatable(std::string_view what, const std::string& path, Faults& faults) {
  const std::string parent = fs::path(path).parent_path();
  if (is_made_by_unit(path) || access(parent.c_str(), W_OK | X_OK) == 0) return;
  faults.push_back(
      fmt::format("{}: {} does not exist, and user {} cannot create it: {}; create it "
                  "for that user",
                  what, path, user_name(), strerrordesc_np(errno)));
}

// `what`: the option. The daemon creates the last component of the path itself.
void check_directory(std::string_view what, const std::string& path, Faults& faults) {
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    const auto fault = store::judge_private_directory(path, store::file_facts(found), geteuid());
    if (fault) faults.push_back(fmt::format("{}: {}", what, fault->text()));
    return;
  }
  if (errno != ENOENT && errno != ENOTDIR)
    return faults.push_back(
        fmt::format("{}: cannot inspect {}: {}", what, path, strerrordesc_np(errno)));
  check_creatable(what, path, faults);
}

// systemd or the daemon creates the socket.
void check_socket(std::string_view what, const fs::path& path, Faults& faults) {
  struct stat found {};
  const std::string directory = path.parent_path();
  if (path.empty() || stat(directory.c_str(), &found) == 0) return;
  check_creatable(what, directory, faults);
}

void check_host_key(const std::string& path, Faults& faults) {
  if (is_credential(path)) return;
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    const auto fault = store::judge_host_key(path, store::file_facts(found),
                                             store::HostKeySource::kFile, geteuid());
    if (fault) faults.push_back("cache.key_file: " + fault->text());
    return;
  }
  const std::string parent = fs::path(path).parent_path();
  if (is_made_by_unit(path) || (errno == ENOENT && access(parent.c_str(), W_OK | X_OK) == 0))
    return;
  faults.push_back(fmt::format("cache.key_file: user {} can neither read nor create {}: {}",
                               user_name(), path, strerrordesc_np(errno)));
}

// The files of one upstream, without those that only the running service has.
void check_credential_files(upstream::UpstreamSettings settings, Faults& faults) {
  for (std::string* const path :
       {&settings.ca_file, &settings.client_certificate, &settings.client_key,
        &settings.client_secret_file, &settings.request_header_file,
        &settings.proxy_credentials_file}) {
    if (is_credential(*path)) path->clear();
  }
  // One of the pair alone would be judged as both.
  if (settings.client_certificate.empty()) settings.client_key.clear();
  if (const auto read = upstream::read_credentials(settings); !read)
    faults.push_back(
        fmt::format("{}; make it readable for user {}", read.error().message, user_name()));
}

// The same for the files of [fleet].
void check_fleet_files(const config::FleetConfig& fleet, Faults& faults) {
  if (!fleet.is_on()) return;
  redis::Settings settings = redis_settings_from(fleet);
  for (std::string* const path : {&settings.password_file, &settings.ca_file,
                                  &settings.client_certificate, &settings.client_key}) {
    if (is_credential(*path)) path->clear();
  }
  if (settings.client_certificate.empty()) settings.client_key.clear();
  const auto add = [&](const Error& error) {
    faults.push_back(fmt::format("{}; make it readable for user {}", error.message, user_name()));
  };
  if (const auto read = redis::read_credentials(settings); !read) add(read.error());
  const auto& seals = fleet.seal_key_files;
  if (is_credential(fleet.fingerprint_key_file) ||
      std::any_of(seals.begin(), seals.end(), is_credential))
    return;
  if (const auto keys = read_fleet_keys(fleet); !keys) add(keys.error());
}

// A port of the daemon that runs now is free at its restart.
void check_port(const std::string& address, Faults& faults) {
  if (address.empty()) return;
  const Result<Fd> listening = loop::listen_on_loopback(address);
  if (listening) return;
  const std::optional<std::uint32_t> owner = host::uid_listening_on(address);
  if (owner && *owner == geteuid()) return;
  faults.push_back(owner ? fmt::format("{} (a process of uid {} listens there)",
                                       listening.error().message, *owner)
                         : listening.error().message);
}

}  // namespace

std::vector<std::string> missing_credentials(const config::Config& config) {
  std::vector<std::string> paths = {config.cache.key_file};
  for (const config::UpstreamConfig& one : config.upstreams) {
    for (const auto& path :
         {one.ca_file, one.client_certificate, one.client_key, one.client_secret_file,
          one.request_header_file, one.proxy_credentials_file})
      paths.push_back(path);
  }
  const config::FleetConfig& fleet = config.fleet;
  for (const auto& path : {fleet.password_file, fleet.ca_file, fleet.client_certificate,
                           fleet.client_key, fleet.fingerprint_key_file})
    paths.push_back(path);
  paths.insert(paths.end(), fleet.seal_key_files.begin(), fleet.seal_key_files.end());
  Faults faults;
  for (const std::string& path : paths) {
    if (!is_credential(path)) continue;
    const std::string name = fs::path(path).filename();
    const bool stored = std::any_of(std::begin(kCredentialStores), std::end(kCredentialStores),
                                    [&](const char* store) {
                                      std::error_code error;
                                      return fs::exists(fs::path(store) / name, error) || error;
                                    });
    if (!stored)
      faults.push_back(
          fmt::format("{}: no credential store has {}: put the file into "
                      "/etc/credstore",
                      path, name));
  }
  return faults;
}

std::vector<std::string> check_start(const config::Config& config) {
  Faults faults;
  check_host_key(config.cache.key_file, faults);
  check_directory("cache.directory", config.cache.directory, faults);
  check_directory("revocations.directory", config.revocations.directory, faults);
  if (config.audit.enabled) check_directory("audit.directory", config.audit.directory, faults);
  std::string checked;  // each upstream has one row for each of its URLs, with the same files
  for (const upstream::UpstreamSettings& settings : upstream_settings_from(config)) {
    if (settings.name != checked) check_credential_files(settings, faults);
    checked = settings.name;
  }
  check_fleet_files(config.fleet, faults);
  check_socket("daemon.socket", config.daemon.socket, faults);
  check_socket("daemon.admin_socket", config.daemon.admin_socket, faults);
  check_socket("http.socket", config.http.socket, faults);
  check_port(config.daemon.metrics_listen, faults);
  return faults;
}

Status become_user(const std::string& user) {
  const passwd* const entry = getpwnam(user.c_str());
  if (entry == nullptr) return failure(fmt::format("user {} does not exist", user));
  if (entry->pw_uid == geteuid()) return {};
  if (initgroups(user.c_str(), entry->pw_gid) != 0 ||
      setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) != 0 ||
      setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid) != 0)
    return failure(fmt::format("cannot become user {}: {}", user, strerrordesc_np(errno)));
  return {};
}

}  // namespace claimsd::daemon
