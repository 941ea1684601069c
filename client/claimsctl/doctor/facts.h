// facts.h: what the doctor found on this host, as plain data. Collected by gather.h, judged by
// checks.h. Values; single-threaded.
//
// A Result holds what was found, or why it could not be read. Tokens, claims and passwords are
// never stored here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/claimsctl/problem.h"
#include "daemon/base/clock.h"
#include "daemon/base/result.h"
#include "daemon/config/load.h"
#include "daemon/store/file_rules.h"

namespace claimsd::claimsctl::doctor {

using std::chrono::seconds;
using store::FileFacts;
using store::FileKind;

// A path. Without FileFacts, nothing exists there.
struct Place {
  std::string path;
  Result<std::optional<FileFacts>> found;
  std::string owner;  // the name, or the uid if it has none
  std::string group;
};

// A user of this host.
struct User {
  std::string name;
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> gids;  // the first is the primary group
};

struct SocketFacts {
  Place socket;
  Place directory;
  std::vector<std::string> members;  // members of the socket's group
};

// The result of one round trip over the claims socket through libclaimsd.
struct PingFacts {
  bool answered = false;
  std::string reason;
  std::string text;
};

// What the running daemon reports about itself.
struct Trouble {
  std::string message;
  std::string hint;
};
struct OptionInEffect {
  std::string option;
  std::string value;
};
struct DaemonFacts {
  std::string version;
  std::uint64_t pid = 0;
  double uptime_seconds = 0;
  std::string config_file;
  bool serves_http = false;
  std::vector<Trouble> troubles;
  std::vector<OptionInEffect> options;
};

// The file system that a path is on or would be created on.
struct DiskFacts {
  std::uint64_t free_bytes = 0;  // available to users other than root
  std::uint64_t total_bytes = 0;
  bool no_free_files = false;
  bool in_memory = false;
  bool read_only = false;
};

// The result of one request, without a token, to one URL of an Auth API.
struct AuthApiFacts {
  std::string upstream;  // its name in the configuration
  std::string url;       // including the path
  std::string failure;   // why there was no answer; "" if there was one
  long status = 0;
  bool refuses = false;  // the daemon takes this status as a rejection
  bool tls = false;
  bool exposed = false;  // http to a port: any local user can listen there while it is free
  double took_seconds = 0;
  std::optional<seconds> ahead;             // its clock minus ours
  std::optional<WallTime> certificate_end;  // expiry of its server certificate
};

// A client certificate named in the configuration.
struct CertificateFacts {
  std::string upstream;
  std::string path;
  Result<WallTime> end;
};

struct ClockFacts {
  WallTime now{};
  Result<bool> synchronized = false;  // according to the kernel: adjtimex(2)
};

// Facts about what the configuration refers to.
struct ConfiguredFacts {
  Place host_key;
  Place host_key_directory;
  Place cache;
  Place revocations;
  Place audit;
  std::uint64_t cache_file_bytes = 0;  // current size
  Result<DiskFacts> cache_disk;
  Result<DiskFacts> revocations_disk;
  Result<DiskFacts> audit_disk;
  std::vector<AuthApiFacts> auth_apis;
  std::vector<CertificateFacts> client_certificates;
};

struct Facts {
  std::string version;  // of this claimsctl
  User caller;
  std::uint32_t daemon_uid = 0;  // the user the daemon runs as, or would run as
  std::string daemon_user;
  std::vector<std::uint32_t> daemon_gids;
  std::vector<std::string> start_faults;  // of claimsd --check: what would prevent a start
  Place config_file;
  Result<config::LoadedConfig> config;
  bool config_denied = false;  // this user may not read it
  Expected<DaemonFacts> daemon;
  SocketFacts claims_socket;
  SocketFacts admin_socket;
  SocketFacts http_socket;  // where it is configured, or where systemd puts it
  PingFacts ping;
  std::vector<User> workers;                 // users named on the command line
  std::vector<std::string> unknown_workers;  // names that are not users of this host
  ClockFacts clock;
  std::optional<ConfiguredFacts> configured;  // set if there is a configuration
};

}  // namespace claimsd::claimsctl::doctor
