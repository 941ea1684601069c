// Tests the doctor's checks on made-up facts: a healthy host has no findings, and each fault is
// found by exactly one check, with a suggested fix.
#include <functional>
#include <set>

#include "client/claimsctl/doctor/checks.h"
#include "daemon/config/load.h"
#include "tests/support/catch.h"

using namespace claimsd::claimsctl::doctor;
using claimsd::failure;
using claimsd::WallTime;
using claimsd::claimsctl::Exit;
using claimsd::claimsctl::Problem;
using claimsd::config::load_config;

namespace {

constexpr std::uint32_t kDaemon = 990;
constexpr std::uint32_t kClients = 991;
constexpr std::uint32_t kAdmins = 992;
constexpr WallTime kNow{seconds(1'800'000'000)};
constexpr char kConfig[] = R"(
[upstream.main]
url = "https://auth.example.com"
client_certificate = "/etc/claimsd/client.pem"
client_key = "/etc/claimsd/client.key"
)";

Place at(std::string path, FileKind kind, std::uint32_t mode, std::uint32_t uid = kDaemon,
         std::uint32_t gid = kDaemon) {
  return {
      std::move(path),
      FileFacts{
          .kind = kind, .mode = mode, .uid = uid, .gid = gid, .size = claimsd::store::kHostKeySize},
      uid == 0 ? "root" : "claimsd", gid == kClients ? "claimsd-clients" : "claimsd"};
}

Place directory(std::string path, std::uint32_t mode = 0700) {
  return at(std::move(path), FileKind::kDirectory, mode);
}

SocketFacts socket(std::string path, std::uint32_t gid) {
  return {at(std::move(path), FileKind::kSocket, 0660, kDaemon, gid),
          directory("/run/claimsd", 0755),
          {"claimsd", "www-data"}};
}

DiskFacts disk(bool in_memory) {
  return {.free_bytes = 60ULL << 30, .total_bytes = 100ULL << 30, .in_memory = in_memory};
}

DaemonFacts running(const claimsd::config::LoadedConfig& config) {
  DaemonFacts facts{
      .version = "1.2.3", .pid = 77, .uptime_seconds = 60, .config_file = "f", .serves_http = true};
  for (const auto& setting : config.settings)
    facts.options.push_back({setting.option, setting.value});
  return facts;
}

ConfiguredFacts configured() {
  return {.host_key = at("/var/lib/claimsd/host.key", FileKind::kRegular, 0400),
          .host_key_directory = directory("/var/lib/claimsd"),
          .cache = directory("/run/claimsd-cache"),
          .revocations = directory("/var/lib/claimsd/revocations"),
          .audit = directory("/var/lib/claimsd/audit"),
          .cache_disk = disk(true),
          .revocations_disk = disk(false),
          .audit_disk = disk(false),
          .auth_apis = {{.upstream = "main",
                         .url = "https://auth.example.com/api/me/",
                         .failure = "",
                         .status = 401,
                         .refuses = true,
                         .tls = true,
                         .took_seconds = 0.01,
                         .ahead = seconds(1),
                         .certificate_end = kNow + std::chrono::hours(24 * 60)}},
          .client_certificates = {
              {"main", "/etc/claimsd/client.pem", kNow + std::chrono::hours(24 * 60)}}};
}

Facts well() {
  auto config = load_config(kConfig, "claimsd.toml");
  REQUIRE(config);
  auto daemon = running(*config);
  return {.version = "1.2.3",
          .caller = {"root", 0, {0}},
          .daemon_uid = kDaemon,
          .daemon_user = "claimsd",
          .daemon_gids = {kDaemon},
          .start_faults = {},
          .config_file = at("/etc/claimsd/claimsd.toml", FileKind::kRegular, 0640, 0, kDaemon),
          .config = std::move(config),
          .daemon = std::move(daemon),
          .claims_socket = socket("/run/claimsd/claims.sock", kClients),
          .admin_socket = socket("/run/claimsd-admin/admin.sock", kAdmins),
          .http_socket = socket("/run/claimsd/http.sock", kClients),
          .ping = {true, "", ""},
          .workers = {{"www-data", 33, {33, kClients}}},
          .unknown_workers = {},
          .clock = {kNow, true},
          .configured = configured()};
}

struct Ill {
  std::string check;
  State state;
  std::string says;
  std::string fix;
  std::function<void(Facts&)> make;
};

FileFacts& file(Place& place) {
  return **place.found;
}
void gone(Place& place) {
  place.found = std::optional<FileFacts>();
}
void denied(Place& place) {
  place.found = failure("cannot inspect " + place.path + ": Permission denied");
}
AuthApiFacts& api(Facts& facts) {
  return facts.configured->auth_apis.front();
}
void no_daemon(Facts& facts) {
  facts.daemon = tl::make_unexpected(
      Problem{Exit::kUnavailable, "no_daemon", "the admin socket does not exist", "start it"});
}
void configure(Facts& facts, const std::string& more) {
  facts.config = load_config(std::string(more) + kConfig, "claimsd.toml");
  REQUIRE(facts.config);
  if (facts.daemon) facts.daemon = running(*facts.config);
}

// clang-format off
const Ill kIlls[] = {
  {"configuration", State::kFailed, "is writable by users other than its owner root", "chmod go-w /etc/claimsd/claimsd.toml",
   [](Facts& f) { file(f.config_file).mode = 0662; }},
  {"configuration", State::kFailed, "the daemon's user claimsd cannot read", "chmod 0640",
   [](Facts& f) { file(f.config_file).mode = 0600; }},
  {"configuration", State::kFailed, "cannot read", "chgrp claimsd",
   [](Facts& f) { file(f.config_file).gid = 0; }},
  {"configuration", State::kFailed, "would fail to start: upstream.main.ca_file", "check-config",
   [](Facts& f) { f.start_faults = {"upstream.main.ca_file: cannot read /x"}; }},
  {"configuration", State::kWarning, "may contain a proxy password", "chmod o-r",
   [](Facts& f) { file(f.config_file).mode = 0644;
     f.config = load_config(std::string(kConfig) + "proxy = \"http://proxy:3128\"\n", "f"); f.daemon = running(*f.config); }},
  {"daemon", State::kFailed, "the disk is full", "free disk space",
   [](Facts& f) { f.daemon->troubles.push_back({"the disk is full", "free disk space"}); }},
  {"daemon", State::kWarning, "the daemon has version 1.2.2, this claimsctl has 1.2.3", "restart",
   [](Facts& f) { f.daemon->version = "1.2.2"; }},
  {"in_effect", State::kWarning, "cache.max_ttl", "claimsctl reload",
   [](Facts& f) { for (auto& option : f.daemon->options) if (option.option == "cache.max_ttl") option.value = "\"9s\""; }},
  {"claims_socket", State::kFailed, "is not a socket", "remove it",
   [](Facts& f) { file(f.claims_socket.socket).kind = FileKind::kRegular; }},
  {"claims_socket", State::kFailed, "other users can replace the socket in /run/claimsd", "chmod 0755",
   [](Facts& f) { file(f.claims_socket.directory).mode = 0775; }},
  {"claims_socket", State::kFailed, "other users can replace the socket in /run/claimsd", "chmod 0755",
   [](Facts& f) { file(f.claims_socket.directory).mode = 01777; }},
  {"claims_socket", State::kFailed, "belongs to uid 1000", "chown root /run/claimsd",
   [](Facts& f) { file(f.claims_socket.directory).uid = 1000; }},
  {"claims_socket", State::kWarning, "some workers cannot reach", "chmod o+x",
   [](Facts& f) { file(f.claims_socket.directory).mode = 0750; }},
  {"admin_socket", State::kFailed, "/run/claimsd-admin/admin.sock does not exist", "systemctl stop claimsd.socket",
   [](Facts& f) { gone(f.admin_socket.socket); }},
  {"admin_socket", State::kUnchecked, "Permission denied", "root",
   [](Facts& f) { denied(f.admin_socket.socket); }},
  {"admin_socket", State::kFailed, "every user of this host may revoke", "SocketMode=0660",
   [](Facts& f) { file(f.admin_socket.socket).mode = 0666; }},
  {"http_socket", State::kFailed, "the running daemon does not serve /run/claimsd/http.sock", "systemctl stop claimsd",
   [](Facts& f) { f.daemon->serves_http = false; }},
  {"http_socket", State::kFailed, "/tmp/h.sock does not exist", "systemctl restart claimsd",
   [](Facts& f) { configure(f, "[http]\nsocket = \"/tmp/h.sock\"\n"); f.http_socket.socket.path = "/tmp/h.sock"; gone(f.http_socket.socket); }},
  {"http_socket", State::kFailed, "is not a socket", "remove it",
   [](Facts& f) { file(f.http_socket.socket).kind = FileKind::kRegular; }},
  {"http_socket", State::kFailed, "user www-data cannot open /run/claimsd/http.sock", "usermod --append --groups claimsd",
   [](Facts& f) { file(f.http_socket.socket).gid = kAdmins; }},
  {"http_socket", State::kFailed, "user www-data cannot open /run/claimsd/http.sock", "set http.socket_group = \"claimsd-clients\", or SocketGroup= in claimsd-http.socket",
   [](Facts& f) { file(f.http_socket.socket).gid = 0; }},
  {"http_socket", State::kUnchecked, "Permission denied", "root",
   [](Facts& f) { denied(f.http_socket.socket); }},
  {"groups", State::kFailed, "user www-data cannot open", "usermod --append --groups claimsd-clients www-data",
   [](Facts& f) { f.workers[0].gids = {33}; }},
  {"groups", State::kFailed, "cannot open", "daemon.socket_group",
   [](Facts& f) { f.workers[0].gids = {33}; file(f.claims_socket.socket).gid = 0; }},
  {"groups", State::kFailed, "is not in daemon.allowed_uids", "add 33 to daemon.allowed_uids",
   [](Facts& f) { configure(f, "[daemon]\nallowed_uids = [1000]\n"); }},
  {"groups", State::kFailed, "user zoe does not exist", "--worker",
   [](Facts& f) { f.unknown_workers = {"zoe"}; }},
  {"groups", State::kWarning, "group claimsd-clients has no members", "usermod",
   [](Facts& f) { f.workers.clear(); f.claims_socket.members = {"claimsd"}; }},
  {"answer", State::kFailed, "no_daemon", "journalctl",
   [](Facts& f) { f.ping = {false, "no_daemon", "no process listens"}; }},
  {"answer", State::kUnchecked, "root is not allowed to query", "root",
   [](Facts& f) { f.ping = {false, "not_permitted", "not permitted"}; }},
  {"host_key", State::kFailed, "other users can access the host key /var/lib/claimsd/host.key (mode 0640)", "remove it",
   [](Facts& f) { file(f.configured->host_key).mode = 0640; }},
  {"host_key", State::kFailed, "belongs to uid 1000", "remove it",
   [](Facts& f) { file(f.configured->host_key).uid = 1000; }},
  {"host_key", State::kFailed, "has 31 bytes", "remove it",
   [](Facts& f) { file(f.configured->host_key).size = 31; }},
  {"host_key", State::kFailed, "is missing although the daemon is running", "find out",
   [](Facts& f) { gone(f.configured->host_key); }},
  {"host_key", State::kFailed, "other users can replace files in the directory /var/lib/claimsd", "chmod go-w",
   [](Facts& f) { file(f.configured->host_key_directory).mode = 0777; }},
  {"host_key", State::kUnchecked, "Permission denied", "root",
   [](Facts& f) { denied(f.configured->host_key); }},
  {"host_key", State::kFailed, "systemd did not provide the credential", "/etc/credstore",
   [](Facts& f) { f.configured->host_key.path = "/run/credentials/claimsd.service/claimsd.host-key"; gone(f.configured->host_key); }},
  {"cache", State::kWarning, "is on a disk", "tmpfs",
   [](Facts& f) { f.configured->cache_disk->in_memory = false; }},
  {"cache", State::kFailed, "other users can access the directory", "chmod 0700",
   [](Facts& f) { file(f.configured->cache).mode = 0755; }},
  {"revocations", State::kFailed, "is on a memory file system", "put it on a disk",
   [](Facts& f) { f.configured->revocations_disk->in_memory = true; }},
  {"audit", State::kFailed, "belongs to uid 1000", "chown 990",
   [](Facts& f) { file(f.configured->audit).uid = 1000; }},
  {"audit", State::kWarning, "there is none", "audit.enabled",
   [](Facts& f) { configure(f, "[audit]\nenabled = false\n"); }},
  {"disk", State::kFailed, "more may be needed", "free up disk space",
   [](Facts& f) { f.configured->audit_disk->free_bytes = 1000; }},
  {"disk", State::kWarning, "GiB free", "free up disk space",
   [](Facts& f) { f.configured->audit_disk->free_bytes = 2ULL << 30; }},
  {"disk", State::kFailed, "is read-only", "dmesg",
   [](Facts& f) { f.configured->revocations_disk->read_only = true; }},
  {"disk", State::kFailed, "no free inodes", "df -i",
   [](Facts& f) { f.configured->audit_disk->no_free_files = true; }},
  {"clock", State::kWarning, "this host's clock is not synchronized", "timedatectl",
   [](Facts& f) { f.clock.synchronized = false; }},
  {"clock", State::kUnchecked, "unknown whether this host's clock is synchronized: adjtimex: Function not implemented", "timedatectl",
   [](Facts& f) { f.clock.synchronized = failure("adjtimex: Function not implemented"); }},
  {"clock", State::kFailed, "is 90 s behind this host's", "timedatectl",
   [](Facts& f) { api(f).ahead = seconds(-90); }},
  {"transport", State::kWarning, "any local user can listen on its port", "http+unix:///run/",
   [](Facts& f) { api(f).exposed = true; }},
  {"auth_api", State::kFailed, "could not resolve", "check upstream.main.url",
   [](Facts& f) { api(f).failure = "could not resolve the name"; }},
  {"auth_api", State::kFailed, "it would accept every token", "set upstream.main.url and .path",
   [](Facts& f) { api(f).status = 200; api(f).refuses = false; }},
  {"auth_api", State::kFailed, "claimsd does not follow redirects", "the address that it redirects to",
   [](Facts& f) { api(f).status = 302; api(f).refuses = false; }},
  {"auth_api", State::kWarning, "without a token, which does not count as a rejection", "correct upstream.main.url",
   [](Facts& f) { api(f).status = 404; api(f).refuses = false; }},
  {"auth_api", State::kWarning, "HTTP 429", "rate limits",
   [](Facts& f) { api(f).status = 429; api(f).refuses = false; }},
  {"auth_api", State::kWarning, "HTTP 407", "set upstream.main.proxy_credentials_file",
   [](Facts& f) { api(f).status = 407; api(f).refuses = false; }},
  {"auth_api", State::kFailed, "HTTP 502", "read the Auth API's log",
   [](Facts& f) { api(f).status = 502; api(f).refuses = false; }},
  {"certificate", State::kWarning, "expires in 13 days", "renew",
   [](Facts& f) { api(f).certificate_end = kNow + std::chrono::hours(24 * 13 + 1); }},
  {"certificate", State::kFailed, "expired 3 hours ago", "renew",
   [](Facts& f) { api(f).certificate_end = kNow - std::chrono::hours(3); }},
  {"client_certificate", State::kFailed, "expired 3 days ago", "renew",
   [](Facts& f) { f.configured->client_certificates[0].end = kNow - std::chrono::hours(24 * 3); }},
  {"client_certificate", State::kFailed, "cannot read", "put a PEM certificate there",
   [](Facts& f) { f.configured->client_certificates[0].end = failure("cannot read it"); }},
};
// clang-format on

}  // namespace

TEST_CASE("a healthy host has no findings") {
  const Facts facts = well();
  for (const auto& check : checks()) {
    for (const auto& finding : judge(check, facts)) {
      INFO(check.name << ": " << finding.says);
      CHECK(finding.state == State::kOk);
      CHECK_FALSE(finding.says.empty());
      CHECK(finding.fix.empty());
    }
  }
}

TEST_CASE("each fault is found by its own check only, with a suggested fix") {
  std::set<std::string> found_by;
  for (const auto& ill : kIlls) {
    Facts facts = well();
    ill.make(facts);
    for (const auto& check : checks()) {
      for (const auto& finding : judge(check, facts)) {
        INFO(ill.check << " (" << ill.says << "), by " << check.name << ": " << finding.says);
        if (check.name != ill.check || finding.state == State::kOk) {
          CHECK(finding.state == State::kOk);
          continue;
        }
        CHECK(finding.state == ill.state);
        CHECK_THAT(finding.says, ContainsSubstring(ill.says));
        CHECK_THAT(finding.fix, ContainsSubstring(ill.fix));
        found_by.insert(ill.check + ill.says);
      }
    }
    CHECK(found_by.count(ill.check + ill.says) == 1);
  }
}

TEST_CASE("every check finds at least one fault") {
  for (const auto& check : checks()) {
    INFO(check.name);
    CHECK(std::any_of(std::begin(kIlls), std::end(kIlls),
                      [&](const Ill& ill) { return ill.check == check.name; }));
  }
}

TEST_CASE(
    "before the first start, files that the daemon creates itself are not reported as missing") {
  Facts facts = well();
  no_daemon(facts);
  gone(facts.configured->host_key);
  gone(facts.configured->cache);
  gone(facts.configured->revocations);
  gone(facts.configured->audit);
  for (const auto& check : checks()) {
    for (const auto& finding : judge(check, facts)) {
      INFO(check.name << ": " << finding.says);
      if (check.name == "daemon")
        CHECK(finding.state == State::kFailed);
      else if (check.name == "in_effect")
        CHECK(finding.state == State::kUnchecked);
      else
        CHECK(finding.state == State::kOk);
    }
  }
}

TEST_CASE(
    "without a configuration, each parse error is a finding and dependent checks are skipped") {
  Facts facts = well();
  facts.config = failure("f:1:1: one\nf:2:2: two");
  facts.configured.reset();
  for (const auto& check : checks()) {
    const auto findings = judge(check, facts);
    INFO(check.name);
    if (check.name == "configuration") {
      REQUIRE(findings.size() == 2);
      CHECK(findings[1].state == State::kFailed);
      CHECK(findings[1].says == "f:2:2: two");
    }
    if (check.needs == Needs::kConfiguration) CHECK(findings[0].state == State::kUnchecked);
  }
}

TEST_CASE("facts that only root can read are unchecked, not wrong") {
  Facts facts = well();
  facts.config = failure("cannot read the configuration: Permission denied");
  facts.config_denied = true;
  facts.configured.reset();
  CHECK(check_configuration(facts)[0].state == State::kUnchecked);
  facts.daemon = tl::make_unexpected(
      Problem{Exit::kNoPermission, "not_permitted", "this user may not", "as root"});
  CHECK(check_daemon(facts)[0].state == State::kUnchecked);
}
