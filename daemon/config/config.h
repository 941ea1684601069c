// config.h: everything an operator can set: typed, checked, immutable once loaded. Plain values.
//
// A Config comes only from load_config() (load.h). A default-constructed one is all zeros and
// cannot run. Meaning, default and range of each option are in the table in options.cc; members
// have the names of the options. Durations are in milliseconds, sizes in bytes. Paths are absolute,
// or empty if unset.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "daemon/base/claim_path.h"
#include "daemon/log/log.h"

namespace claimsd::config {

using std::chrono::milliseconds;

// [daemon]: the sockets and who may use them.
struct DaemonConfig {
  std::filesystem::path socket;
  std::uint32_t socket_mode;  // permission bits, as for chmod(2)
  std::string socket_group;   // a name or a gid; empty: the process's group
  std::filesystem::path admin_socket;
  std::uint32_t admin_socket_mode;
  std::string admin_socket_group;
  std::string metrics_listen;               // "127.0.0.1:9464"; empty: off
  std::vector<std::uint32_t> allowed_uids;  // both lists empty: anyone who can open the socket
  std::vector<std::uint32_t> allowed_gids;
  std::uint32_t max_connections;
  std::uint32_t max_connections_per_uid;
  std::uint32_t connects_per_uid;  // per second
  std::size_t write_queue_bytes;   // per connection
  milliseconds slow_reader_timeout;
  milliseconds handshake_timeout;
  milliseconds stop_timeout;
  bool shared_memory;
  bool system_call_filter;
};

// [cache]: how long answers are valid and where they are stored.
struct CacheConfig {
  std::filesystem::path directory;
  std::filesystem::path key_file;
  milliseconds lease;
  std::uint64_t map_slots;  // a power of two
  std::uint64_t max_entries;
  std::uint64_t memory_entries;
  std::uint64_t max_bytes;
  milliseconds max_ttl;
  milliseconds negative_ttl;
  std::uint64_t negative_entries;
  milliseconds clock_skew;
  std::uint32_t ttl_jitter_percent;
  milliseconds stale_if_error;
  std::uint32_t refresh_ahead_percent;
};

// [limits]: load on the Auth APIs and on the daemon, for the whole host.
struct LimitsConfig {
  std::uint32_t max_in_flight;
  std::uint32_t max_pending;
  std::uint32_t max_waiters;
  std::uint32_t max_waiters_per_uid;
  milliseconds max_timeout;
  std::uint32_t failure_threshold;
  milliseconds max_backoff;
  std::uint32_t retry_percent;
  std::uint32_t misses_per_uid;
  std::uint32_t miss_burst_per_uid;
  std::uint32_t misses_per_client;
  std::uint32_t miss_burst_per_client;
  std::uint32_t reports_per_uid;
  std::uint32_t report_burst_per_uid;
};

// [revocations]: revocation rules of operators.
struct RevocationsConfig {
  std::filesystem::path directory;
  std::uint64_t max_entries;
  milliseconds keep;
};

// Each level includes those before it. Same order as Level (audit/events.h).
enum class AuditDetail : std::uint8_t { kFailures, kVerifications, kLeases, kEvery };

// [audit]: the record of rejections and of operators' actions.
struct AuditConfig {
  bool enabled;
  std::filesystem::path directory;
  AuditDetail level;
  bool before_answer;
  bool allow_when_full;
  milliseconds keep;
  std::uint64_t max_bytes;
  std::uint64_t max_bytes_per_uid;
  std::uint64_t segment_bytes;
  std::uint64_t max_records;
  std::uint64_t max_waiting;
  std::filesystem::path anchors_file;  // empty: none
};

enum class LogFormat : std::uint8_t { kAuto, kText, kJournal, kJson };

// [log]
struct LogConfig {
  LogLevel level;
  LogFormat format;
};

// The gate that is always there: it requires no role.
inline constexpr char kBuiltInGate[] = "authenticated";

// [http.gate.NAME]: what a request to /v1/auth/NAME needs.
struct GateConfig {
  std::string name;
  std::vector<std::string> roles;  // any of them; empty: every valid token
  std::string upstream;            // a name; empty: the default upstream
};

// [http]: the front door for backends in any language, and for proxies.
struct HttpConfig {
  std::filesystem::path socket;  // empty: off, unless systemd passes a socket
  std::uint32_t socket_mode;
  std::string socket_group;
  std::string realm;
  std::string client_address_header;        // empty: not used
  std::vector<std::uint32_t> trusted_uids;  // whose client_address_header is believed
  std::uint32_t max_connections;
  std::uint32_t max_connections_per_uid;
  milliseconds idle_timeout;
  std::vector<GateConfig> gates;  // in the order of the file
};

// [fleet]: revocations shared with other hosts through Redis. An empty name: off.
struct FleetConfig {
  std::string name;
  std::string host_name;               // of this host, for the others; empty: that of the system
  std::vector<std::string> urls;       // either these, tried in order
  std::vector<std::string> sentinels;  // or these, which name the master
  std::string master;                  // its name for the Sentinels
  std::string user;                    // of Redis; empty: the default user
  std::filesystem::path password_file;
  std::filesystem::path ca_file;  // empty: the system's CA certificates
  std::filesystem::path client_certificate;
  std::filesystem::path client_key;
  std::vector<std::string> seal_key_files;  // one or two, newest first
  std::filesystem::path fingerprint_key_file;
  bool unavailable_when_lost;
  milliseconds lost_after;
  bool serve_before_join;

  bool is_on() const { return !name.empty(); }
};

// How an Auth API is asked about a token. Same order as Kind (upstream/settings.h).
enum class UpstreamKind : std::uint8_t { kUserinfo, kIntrospection };
// How the daemon authenticates to an introspection endpoint. Same order as ClientAuth there.
enum class ClientAuth : std::uint8_t { kBasic, kPost, kCertificate };

// Client errors that say nothing about the token: they cannot be `rejection_statuses`.
inline constexpr std::uint32_t kProxyAuthenticationRequired = 407;
inline constexpr std::array<std::uint32_t, 4> kNoRejections{kProxyAuthenticationRequired, 408, 425,
                                                            429};

// [upstream.NAME]: one Auth API.
struct UpstreamConfig {
  std::string name;
  std::vector<std::string> urls;  // normalized (url.h), at least one, tried in order
  std::string path;               // appended to a URL: "/api/me/"
  milliseconds timeout;
  milliseconds connect_timeout;
  std::filesystem::path ca_file;  // empty: the system's CA certificates
  std::filesystem::path client_certificate;
  std::filesystem::path client_key;
  ClaimPath id_claim;
  ClaimPath email_claim;
  std::vector<RoleClaim> role_claims;
  std::vector<RequiredClaim> require;
  std::vector<RequiredClaim> require_token;
  std::uint64_t max_claims_bytes;
  std::uint64_t max_token_bytes;
  std::vector<std::uint32_t> rejection_statuses;  // sorted; always contains 401
  std::string proxy;                              // empty: none, whatever the environment says
  UpstreamKind kind;
  std::string client_id;  // with kIntrospection, as are the four below
  std::filesystem::path client_secret_file;
  ClientAuth client_auth;
  std::string audience;  // empty: any
  bool accept_bound;
  std::string scheme;  // of the Authorization header, with kUserinfo
  std::filesystem::path request_header_file;
  std::filesystem::path proxy_credentials_file;
  std::string socket_user;  // a name or a uid; empty: the owner of the socket's directory
  milliseconds connection_max_age;
  milliseconds dns_cache;
  milliseconds no_store_ttl;
  bool is_default;  // at most one; always true for a single upstream
  bool http2;
  std::uint32_t connections;
};

struct Config {
  DaemonConfig daemon{};
  CacheConfig cache{};
  LimitsConfig limits{};
  RevocationsConfig revocations{};
  AuditConfig audit{};
  LogConfig log{};
  HttpConfig http{};
  FleetConfig fleet{};
  std::vector<UpstreamConfig> upstreams;  // at least one, in the order of the file

  // The upstream for clients that name none; null if there are several and none is marked.
  const UpstreamConfig* default_upstream() const {
    for (const auto& upstream : upstreams) {
      if (upstream.is_default) return &upstream;
    }
    return nullptr;
  }
};

}  // namespace claimsd::config
