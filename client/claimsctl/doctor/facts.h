// facts.h: what the doctor saw of this host, as plain data: filled by the probes (gather.h), judged
// by the checks (checks.h). Values; one thread.
//
// A Result is what was seen, or why it could not be looked at. No token, no claim and no password
// is ever in here.
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

namespace claimsd::ctl::doctor {

using daemon::FileFacts;
using daemon::FileKind;
using daemon::Result;
using std::chrono::seconds;

// A path. No FileFacts: nothing is there.
struct Place {
  std::string path;
  Result<std::optional<FileFacts>> found;
  std::string owner;  // by name where there is one
  std::string group;
};

// A user of this host.
struct User {
  std::string name;
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> gids;  // the first is the primary one
};

struct SocketFacts {
  Place socket;
  Place directory;
  std::vector<std::string> members;  // of the socket's group
};

// A round trip over the claims socket by libclaimsd.
struct PingFacts {
  bool answered = false;
  std::string reason;
  std::string text;
};

// What the running daemon says of itself.
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
  std::vector<Trouble> troubles;
  std::vector<OptionInEffect> options;
};

// The file system that a path lies on, or will.
struct DiskFacts {
  std::uint64_t free_bytes = 0;  // for whoever is not root
  std::uint64_t total_bytes = 0;
  bool no_free_files = false;
  bool in_memory = false;
  bool read_only = false;
};

// One request without a token to one URL of an Auth API.
struct AuthApiFacts {
  std::string upstream;  // its name in the configuration
  std::string url;       // with the path
  std::string failure;   // why there was no answer; "" where there was one
  long status = 0;
  bool refuses = false;  // such a status means that the token is refused
  bool tls = false;
  double took_seconds = 0;
  std::optional<seconds> ahead;                     // its clock before ours
  std::optional<daemon::WallTime> certificate_end;  // of its own certificate
};

// A client certificate that the configuration names.
struct CertificateFacts {
  std::string upstream;
  std::string path;
  Result<daemon::WallTime> end;
};

struct ClockFacts {
  daemon::WallTime now{};
  bool synchronised = false;  // the kernel says so: adjtimex(2)
};

// What the configuration leads to.
struct ConfiguredFacts {
  Place host_key;
  Place host_key_directory;
  Place cache;
  Place revocations;
  Place audit;
  std::uint64_t cache_file_bytes = 0;  // that it takes already
  Result<DiskFacts> cache_disk;
  Result<DiskFacts> revocations_disk;
  Result<DiskFacts> audit_disk;
  std::vector<AuthApiFacts> auth_apis;
  std::vector<CertificateFacts> client_certificates;
};

struct Facts {
  std::string version;  // of this claimsctl
  User caller;
  std::uint32_t daemon_uid = 0;  // whom the daemon runs as, or would
  std::string daemon_user;
  Place config_file;
  Result<daemon::LoadedConfig> config;
  bool config_denied = false;  // to this caller
  Expected<DaemonFacts> daemon;
  SocketFacts claims_socket;
  SocketFacts admin_socket;
  PingFacts ping;
  std::vector<User> workers;                 // those that were asked about
  std::vector<std::string> unknown_workers;  // no users of this host
  ClockFacts clock;
  std::optional<ConfiguredFacts> configured;  // with a configuration
};

}  // namespace claimsd::ctl::doctor
