#include "daemon/config/options.h"

#include <array>
#include <concepts>
#include <limits>

#include "daemon/config/url.h"

namespace claimsd::config {
namespace {

void store(bool& to, const Value& value) {
  to = value.boolean;
}
void store(std::string& to, const Value& value) {
  to = value.text;
}
void store(std::filesystem::path& to, const Value& value) {
  to = value.text;
}
void store(milliseconds& to, const Value& value) {
  to = milliseconds(value.number);
}
void store(LogLevel& to, const Value& value) {
  to = static_cast<LogLevel>(value.number);
}
void store(LogFormat& to, const Value& value) {
  to = static_cast<LogFormat>(value.number);
}
void store(AuditDetail& to, const Value& value) {
  to = static_cast<AuditDetail>(value.number);
}
void store(UpstreamKind& to, const Value& value) {
  to = static_cast<UpstreamKind>(value.number);
}
void store(ClientAuth& to, const Value& value) {
  to = static_cast<ClientAuth>(value.number);
}
template <std::unsigned_integral T>
void store(T& to, const Value& value) {
  to = static_cast<T>(value.number);  // the row's range fits T; a test checks every row
}
void store(std::vector<std::string>& to, const Value& value) {
  to = value.texts;
}
void store(ClaimPath& to, const Value& value) {
  to = value.claim;
}
void store(std::vector<RoleClaim>& to, const Value& value) {
  to = value.role_claims;
}
void store(std::vector<RequiredClaim>& to, const Value& value) {
  to = value.required;
}
void store(std::vector<std::uint32_t>& to, const Value& value) {
  to.clear();
  for (const auto number : value.numbers) to.push_back(static_cast<std::uint32_t>(number));
}

template <auto Section, auto Field>
void in(Config& config, const Value& value) {
  store((config.*Section).*Field, value);
}
template <auto Field>
void gate(GateConfig& target, const Value& value) {
  store(target.*Field, value);
}
template <auto Field>
void up(UpstreamConfig& upstream, const Value& value) {
  store(upstream.*Field, value);
}
// "unavailable" or "allow_unrecorded"
void when_full(Config& config, const Value& value) {
  config.audit.allow_when_full = value.number == 1;
}
// "serve" or "unavailable"
void when_lost(Config& config, const Value& value) {
  config.fleet.unavailable_when_lost = value.number == 1;
}
// "unavailable" or "serve"
void join(Config& config, const Value& value) {
  config.fleet.serve_before_join = value.number == 1;
}
// `url` becomes a list of one. cross_check() rejects a file that sets both `url` and `urls`.
void one_url(UpstreamConfig& upstream, const Value& value) {
  if (!value.text.empty()) upstream.urls = {value.text};
}
void all_urls(UpstreamConfig& upstream, const Value& value) {
  if (!value.texts.empty()) upstream.urls = value.texts;
}

using D = DaemonConfig;
using C = CacheConfig;
using L = LimitsConfig;
using R = RevocationsConfig;
using A = AuditConfig;
using G = LogConfig;
using H = HttpConfig;
using F = FleetConfig;
using U = UpstreamConfig;
constexpr auto kD = &Config::daemon;
constexpr auto kC = &Config::cache;
constexpr auto kL = &Config::limits;
constexpr auto kR = &Config::revocations;
constexpr auto kA = &Config::audit;
constexpr auto kG = &Config::log;
constexpr auto kH = &Config::http;
constexpr auto kF = &Config::fleet;
constexpr auto kNo = Reload::kNo;
constexpr auto kYes = Reload::kYes;
constexpr auto kShow = Show::kYes;
constexpr auto kHide = Show::kNo;

constexpr std::int64_t kMaxPath = 4095;  // PATH_MAX without its NUL
constexpr std::int64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;  // -1 is "no id"
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kYear = 365 * 24 * kHour;
constexpr std::int64_t kMiB = 1 << 20;

using enum OptionType;

// clang-format off
constexpr std::array kRows = std::to_array<Row<Config>>({
  {{"daemon.socket", kPath, R"("/run/claimsd/claims.sock")", 1, kMaxSocketPath, "", kNo, kShow,
    "path of the socket that workers connect to"}, in<kD, &D::socket>},
  {{"daemon.socket_mode", kMode, R"("0660")", 0, 0777, "", kNo, kShow,
    "permissions of the socket"}, in<kD, &D::socket_mode>},
  {{"daemon.socket_group", kString, R"("")", 0, 64, "", kNo, kShow,
    "group of the socket, by name or gid; empty: the daemon's group"}, in<kD, &D::socket_group>},
  {{"daemon.admin_socket", kPath, R"("/run/claimsd-admin/admin.sock")", 1, kMaxSocketPath, "", kNo, kShow,
    "path of the admin socket, for `claimsctl` and local scripts"}, in<kD, &D::admin_socket>},
  {{"daemon.admin_socket_mode", kMode, R"("0660")", 0, 0777, "", kNo, kShow,
    "permissions of the admin socket"}, in<kD, &D::admin_socket_mode>},
  {{"daemon.admin_socket_group", kString, R"("")", 0, 64, "", kNo, kShow,
    "group of the admin socket, by name or gid; empty: the daemon's group"}, in<kD, &D::admin_socket_group>},
  {{"daemon.metrics_listen", kString, R"("")", 0, 64, "", kNo, kShow,
    "loopback address and port for Prometheus, such as `127.0.0.1:9464`; serves `/metrics`, `/healthz` and `/readyz` only; empty: off"},
    in<kD, &D::metrics_listen>},
  {{"daemon.allowed_uids", kIntegers, "[]", 0, kMaxId, "", kYes, kShow,
    "user ids that may connect; both lists empty: every user who can open the socket"}, in<kD, &D::allowed_uids>},
  {{"daemon.allowed_gids", kIntegers, "[]", 0, kMaxId, "", kYes, kShow,
    "group ids that may connect"}, in<kD, &D::allowed_gids>},
  {{"daemon.max_connections", kInteger, "8192", 1, 65536, "", kYes, kShow,
    "maximum number of worker connections; the daemon needs a file descriptor for each, and does not start if its limit is too low (`LimitNOFILE` of the unit)"}, in<kD, &D::max_connections>},
  {{"daemon.max_connections_per_uid", kInteger, "4096", 1, 65536, "", kYes, kShow,
    "maximum number of connections of one user id; a process keeps one for each of its threads that query at the same time, at most 64 by default"}, in<kD, &D::max_connections_per_uid>},
  {{"daemon.connects_per_uid", kInteger, "1000", 1, 1'000'000, "", kYes, kShow,
    "connections per second that one user id may open, after a burst of twice `max_connections_per_uid`"}, in<kD, &D::connects_per_uid>},
  {{"daemon.write_queue_bytes", kSize, R"("1MiB")", 256 << 10, 64 * kMiB, "", kYes, kShow,
    "maximum size of the answers queued for one connection; a connection that exceeds it is closed"},
    in<kD, &D::write_queue_bytes>},
  {{"daemon.slow_reader_timeout", kDuration, R"("5s")", 100, kMinute, "", kYes, kShow,
    "a connection with queued answers is closed if it reads nothing for this long"}, in<kD, &D::slow_reader_timeout>},
  {{"daemon.handshake_timeout", kDuration, R"("2s")", 100, kMinute, "", kYes, kShow,
    "a connection that sends no hello within this time is closed"}, in<kD, &D::handshake_timeout>},
  {{"daemon.stop_timeout", kDuration, R"("5s")", 0, kMinute, "", kYes, kShow,
    "maximum time to answer open queries after SIGTERM"}, in<kD, &D::stop_timeout>},
  {{"daemon.shared_memory", kBoolean, "true", 0, 1, "", kNo, kShow,
    "workers look up known tokens in shared memory; false: every query goes over the socket"}, in<kD, &D::shared_memory>},
  {{"daemon.system_call_filter", kBoolean, "true", 0, 1, "", kNo, kShow,
    "block the system calls that the daemon does not need after its start; set to false if a library in the process, such as a name service, needs others"},
    in<kD, &D::system_call_filter>},

  {{"cache.directory", kPath, R"("/run/claimsd-cache")", 1, kMaxPath, "", kNo, kShow,
    "directory of the sealed cache; keep it on a tmpfs"}, in<kC, &C::directory>},
  {{"cache.key_file", kPath, R"("/var/lib/claimsd/host.key")", 1, kMaxPath, "", kNo, kShow,
    "key that seals the cache; created at the first start, with mode 0400"}, in<kC, &C::key_file>},
  {{"cache.lease", kDuration, R"("5s")", 1000, kMinute, "", kYes, kShow,
    "how long workers may use an answer from shared memory before they query the daemon again; never longer than the answer's TTL"}, in<kC, &C::lease>},
  {{"cache.map_slots", kInteger, "16384", 64, 1 << 20, "", kNo, kShow,
    "maximum number of answers in shared memory, a power of two; each takes 1 KiB there and 0.1 KiB in the daemon"},
    in<kC, &C::map_slots>},
  {{"cache.max_entries", kInteger, "100000", 100, 10'000'000, "", kNo, kShow,
    "maximum number of cached answers"}, in<kC, &C::max_entries>},
  {{"cache.memory_entries", kInteger, "1024", 0, 65536, "", kNo, kShow,
    "number of cached answers that are also kept unsealed in memory; each takes a few KiB"}, in<kC, &C::memory_entries>},
  {{"cache.max_bytes", kSize, R"("64MiB")", kMiB, 64 * 1024 * kMiB, "", kNo, kShow,
    "maximum size of the cache file"}, in<kC, &C::max_bytes>},
  {{"cache.max_ttl", kDuration, R"("60s")", 1000, 5 * kMinute, "", kYes, kShow,
    "maximum TTL of an answer"}, in<kC, &C::max_ttl>},
  {{"cache.negative_ttl", kDuration, R"("5s")", 0, kMinute, "", kYes, kShow,
    "TTL of a rejection"}, in<kC, &C::negative_ttl>},
  {{"cache.negative_entries", kInteger, "10000", 0, 1'000'000, "", kNo, kShow,
    "maximum number of cached rejections, in addition to `max_entries`"}, in<kC, &C::negative_entries>},
  {{"cache.clock_skew", kDuration, R"("30s")", 0, 5 * kMinute, "", kYes, kShow,
    "tolerated difference between this clock and the issuer's: an answer expires this long before the token's `exp`, and a token is rejected without a request only this long after it"},
    in<kC, &C::clock_skew>},
  {{"cache.ttl_jitter_percent", kInteger, "10", 0, 50, "", kYes, kShow,
    "each TTL is shortened by a random share of at most this size, so that entries do not expire together"}, in<kC, &C::ttl_jitter_percent>},
  {{"cache.stale_if_error", kDuration, R"("0s")", 0, 5 * kMinute, "", kYes, kShow,
    "how long after its TTL an answer may still be used, marked as stale, while the Auth API is unavailable; never past the token's `exp`, never after a rejection"},
    in<kC, &C::stale_if_error>},
  {{"cache.refresh_ahead_percent", kInteger, "10", 0, 50, "", kYes, kShow,
    "an answer that is used in this last part of its TTL is refreshed in advance"}, in<kC, &C::refresh_ahead_percent>},

  {{"limits.max_in_flight", kInteger, "64", 1, 4096, "", kYes, kShow,
    "maximum number of concurrent requests to one Auth API"}, in<kL, &L::max_in_flight>},
  {{"limits.max_pending", kInteger, "4096", 0, 1'000'000, "", kYes, kShow,
    "maximum number of requests queued for one Auth API"}, in<kL, &L::max_pending>},
  {{"limits.max_waiters", kInteger, "65536", 1, 10'000'000, "", kYes, kShow,
    "maximum number of queries waiting for requests"}, in<kL, &L::max_waiters>},
  {{"limits.max_waiters_per_uid", kInteger, "16384", 1, 10'000'000, "", kYes, kShow,
    "maximum number of waiting queries of one user id"}, in<kL, &L::max_waiters_per_uid>},
  {{"limits.max_timeout", kDuration, R"("30s")", 100, 10 * kMinute, "", kYes, kShow,
    "maximum timeout of a query, even if the client asks for more"}, in<kL, &L::max_timeout>},
  {{"limits.failure_threshold", kInteger, "3", 1, 1000, "", kYes, kShow,
    "number of consecutive failures, each with a different token, that opens the circuit breaker of an Auth API; the same number of failures of one token starts a backoff for that token"}, in<kL, &L::failure_threshold>},
  {{"limits.max_backoff", kDuration, R"("30s")", 1000, 10 * kMinute, "", kYes, kShow,
    "maximum backoff of a circuit breaker; the first backoff is at most one second"}, in<kL, &L::max_backoff>},
  {{"limits.retry_percent", kInteger, "20", 0, 100, "", kYes, kShow,
    "maximum share of requests that may be retried, at another URL of the Auth API or over a new connection"}, in<kL, &L::retry_percent>},
  {{"limits.misses_per_uid", kInteger, "1000", 0, 1'000'000, "", kYes, kShow,
    "requests per second that one user id may cause; 0: no limit"}, in<kL, &L::misses_per_uid>},
  {{"limits.miss_burst_per_uid", kInteger, "10000", 1, 10'000'000, "", kYes, kShow,
    "burst size for `misses_per_uid`; a quarter is reserved for tokens that were valid before"}, in<kL, &L::miss_burst_per_uid>},
  {{"limits.misses_per_client", kInteger, "50", 0, 1'000'000, "", kYes, kShow,
    "requests per second for one client address, if the query names one (an IPv6 /64 counts as one address); 0: no limit"}, in<kL, &L::misses_per_client>},
  {{"limits.miss_burst_per_client", kInteger, "500", 1, 10'000'000, "", kYes, kShow,
    "burst size for `misses_per_client`"}, in<kL, &L::miss_burst_per_client>},
  {{"limits.reports_per_uid", kInteger, "100", 0, 1'000'000, "", kYes, kShow,
    "rejections per second that workers of one user id may report with one audit record each, plus the same number for users known to the daemon; further reports are aggregated; 0: no limit"}, in<kL, &L::reports_per_uid>},
  {{"limits.report_burst_per_uid", kInteger, "1000", 1, 10'000'000, "", kYes, kShow,
    "burst size for `reports_per_uid`"}, in<kL, &L::report_burst_per_uid>},

  {{"revocations.directory", kPath, R"("/var/lib/claimsd/revocations")", 1, kMaxPath, "", kNo, kShow,
    "directory of the revocations and their key; keep it on a disk and include it in backups"}, in<kR, &R::directory>},
  {{"revocations.max_entries", kInteger, "100000", 100, 10'000'000, "", kNo, kShow,
    "maximum number of revoked tokens and users; further revocations fail"}, in<kR, &R::max_entries>},
  {{"revocations.keep", kDuration, R"("8760h")", 24 * kHour, 87'600 * kHour, "", kYes, kShow,
    "how long tokens issued before their user was revoked stay invalid; must be longer than the lifetime of the Auth API's tokens"},
    in<kR, &R::keep>},

  {{"audit.enabled", kBoolean, "true", 0, 0, "", kNo, kShow,
    "keep an audit log"}, in<kA, &A::enabled>},
  {{"audit.directory", kPath, R"("/var/lib/claimsd/audit")", 1, kMaxPath, "", kNo, kShow,
    "directory of the audit log; keep it on a disk"}, in<kA, &A::directory>},
  {{"audit.level", kEnum, R"("failures")", 0, 0, "failures|verifications|leases|every", kNo, kShow,
    "what is recorded: rejections, outages and operators' actions; also each confirmation by the Auth API; also each lease; also each cache hit, which makes workers query the daemon every time (as with `shared_memory = false`)"}, in<kA, &A::level>},
  {{"audit.before_answer", kBoolean, "true", 0, 0, "", kNo, kShow,
    "send an answer only after its record is on disk"}, in<kA, &A::before_answer>},
  {{"audit.when_full", kEnum, R"("unavailable")", 0, 0, "unavailable|allow_unrecorded", kNo, kShow,
    "what happens to an answer that cannot be recorded: it becomes `unavailable`, or it is sent and counted as missing from the log"}, when_full},
  {{"audit.keep", kDuration, R"("52560h")", 24 * kHour, 100 * kYear, "", kNo, kShow,
    "how long records are kept; the default is six years"}, in<kA, &A::keep>},
  {{"audit.max_bytes", kSize, R"("16GiB")", 4 * kMiB, 64 * 1024 * kMiB, "", kNo, kShow,
    "maximum size of the log; above it, the oldest segments are deleted"}, in<kA, &A::max_bytes>},
  {{"audit.max_bytes_per_uid", kSize, R"("64MiB")", 0, 64 * 1024 * kMiB, "", kNo, kShow,
    "bytes of records per day that workers of one user id may cause; beyond it their reports are counted, not written, and other events lose their details; 0: no limit"}, in<kA, &A::max_bytes_per_uid>},
  {{"audit.segment_bytes", kSize, R"("64MiB")", kMiB, 1024 * kMiB, "", kNo, kShow,
    "maximum size of a segment; a new segment also begins each day"}, in<kA, &A::segment_bytes>},
  {{"audit.max_records", kInteger, "4096", 16, 1'000'000, "", kNo, kShow,
    "maximum number of records waiting for one commit; repeated events are folded into few records"}, in<kA, &A::max_records>},
  {{"audit.max_waiting", kInteger, "65536", 16, 10'000'000, "", kNo, kShow,
    "maximum number of answers waiting for their records; one user id may use half of it"}, in<kA, &A::max_waiting>},
  {{"audit.anchors_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "file for a second copy of the signed anchors, preferably on another file system; anchors are always logged"}, in<kA, &A::anchors_file>},

  {{"log.level", kEnum, R"("info")", 0, 0, "debug|info|warning|error", kYes, kShow,
    "minimum level of logged events"}, in<kG, &G::level>},
  {{"log.format", kEnum, R"("auto")", 0, 0, "auto|text|journal|json", kYes, kShow,
    "`text` begins with the time, `journal` with a priority, `json` writes one object per line; `auto`: `journal` under systemd, otherwise `text`"}, in<kG, &G::format>},

  {{"http.socket", kPath, R"("")", 0, kMaxSocketPath, "", kNo, kShow,
    "path of the HTTP socket, such as `/run/claimsd/http.sock`; empty: off, unless systemd passes one"}, in<kH, &H::socket>},
  {{"http.socket_mode", kMode, R"("0660")", 0, 0777, "", kNo, kShow,
    "permissions of the HTTP socket"}, in<kH, &H::socket_mode>},
  {{"http.socket_group", kString, R"("")", 0, 64, "", kNo, kShow,
    "group of the HTTP socket, by name or gid; empty: the daemon's group"}, in<kH, &H::socket_group>},
  {{"http.realm", kString, R"("api")", 1, 128, "", kYes, kShow,
    "realm in `WWW-Authenticate`"}, in<kH, &H::realm>},
  {{"http.client_address_header", kString, R"("")", 0, 64, "", kYes, kShow,
    "header with the client's address, such as `X-Forwarded-For`; its last item is used; empty: the address is not known"},
    in<kH, &H::client_address_header>},
  {{"http.trusted_uids", kIntegers, "[]", 0, kMaxId, "", kYes, kShow,
    "user ids of proxies whose `client_address_header` is believed"}, in<kH, &H::trusted_uids>},
  {{"http.max_connections", kInteger, "1024", 1, 65536, "", kNo, kShow,
    "maximum number of HTTP connections; further clients wait"}, in<kH, &H::max_connections>},
  {{"http.max_connections_per_uid", kInteger, "1024", 1, 65536, "", kNo, kShow,
    "maximum number of HTTP connections of one user id"}, in<kH, &H::max_connections_per_uid>},
  {{"http.idle_timeout", kDuration, R"("60s")", 1000, kHour, "", kNo, kShow,
    "a connection on which no request completes for this long is closed"}, in<kH, &H::idle_timeout>},

  {{"fleet.name", kString, R"("")", 0, 64, "", kNo, kShow,
    "name of the fleet, part of every key in Redis; letters, digits, - and _; empty: this host is in no fleet"}, in<kF, &F::name>},
  {{"fleet.host_name", kString, R"("")", 0, 255, "", kNo, kShow,
    "name of this host, which the other hosts show; empty: the system's host name"}, in<kF, &F::host_name>},
  {{"fleet.urls", kStrings, "[]", 1, 1024, "", kNo, kHide,
    "Redis or Valkey servers, such as `rediss://redis-1:6379`; the first one that is a master is used; `redis://` only for a loopback host"},
    in<kF, &F::urls>},
  {{"fleet.sentinels", kStrings, "[]", 1, 1024, "", kNo, kHide,
    "instead of `urls`: Sentinels, such as `rediss://sentinel-1:26379`, which name the master; with `rediss` the master uses TLS as well"},
    in<kF, &F::sentinels>},
  {{"fleet.master", kString, R"("")", 0, 128, "", kNo, kShow,
    "with `sentinels`: the name of the master there"}, in<kF, &F::master>},
  {{"fleet.user", kString, R"("")", 0, 128, "", kNo, kShow,
    "user of Redis; empty: the default user"}, in<kF, &F::user>},
  {{"fleet.password_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "file with the password of `user` in one line; read for each connection; empty: none"}, in<kF, &F::password_file>},
  {{"fleet.ca_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of CA certificates for Redis; read for each connection; empty: the system's"}, in<kF, &F::ca_file>},
  {{"fleet.client_certificate", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of the certificate that Redis asks for; read for each connection; empty: none"}, in<kF, &F::client_certificate>},
  {{"fleet.client_key", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of its key; empty: in `client_certificate`"}, in<kF, &F::client_key>},
  {{"fleet.seal_key_files", kStrings, "[]", 1, kMaxPath, "", kNo, kShow,
    "files with at least 32 random bytes each, the same on all hosts, newest first: they seal every message; at most two"},
    in<kF, &F::seal_key_files>},
  {{"fleet.fingerprint_key_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "file with at least 32 random bytes, the same on all hosts: it names tokens and users in messages; never change it"},
    in<kF, &F::fingerprint_key_file>},
  {{"fleet.when_lost", kEnum, R"("serve")", 0, 0, "serve|unavailable", kNo, kShow,
    "what a host does that has not been current for `lost_after`: answer as before, or answer `unavailable`"}, when_lost},
  {{"fleet.lost_after", kDuration, R"("10s")", 3000, kHour, "", kNo, kShow,
    "with `when_lost = \"unavailable\"`: how long a host may not be current"}, in<kF, &F::lost_after>},
  {{"fleet.join", kEnum, R"("unavailable")", 0, 0, "unavailable|serve", kNo, kShow,
    "what a host answers before it was ever current; the first host of a new fleet needs `serve`"}, join},
});

constexpr std::array kGateRows = std::to_array<Row<GateConfig>>({
  {{"roles", kStrings, "[]", 1, 128, "", kYes, kShow,
    "the user needs one of these roles; empty: every valid token is allowed"}, gate<&GateConfig::roles>},
  {{"upstream", kString, R"("")", 0, 64, "", kYes, kShow,
    "name of the upstream that is asked; empty: the default upstream"}, gate<&GateConfig::upstream>},
});

constexpr std::array kUpstreamRows = std::to_array<Row<UpstreamConfig>>({
  {{"url", kUrl, R"("")", 0, 1024, "", kNo, kHide,
    "URL of the Auth API: `https`, `http+unix:///path` to a Unix socket, or `http` to a loopback host, whose port any local user can take while the Auth API is down"}, one_url},
  {{"urls", kUrls, "[]", 0, 1024, "", kNo, kHide,
    "several URLs, tried in order; use instead of `url`"}, all_urls},
  {{"path", kUrlPath, R"("/api/me/")", 1, 256, "", kNo, kShow,
    "path that is requested, if needed with a query string"}, up<&U::path>},
  {{"kind", kEnum, R"("userinfo")", 0, 0, "userinfo|introspection", kNo, kShow,
    "how the Auth API is asked: with the token in a GET, or with a form to an introspection endpoint (RFC 7662)"}, up<&U::kind>},
  {{"timeout", kDuration, R"("3s")", 100, 30'000, "", kNo, kShow,
    "maximum time of one request"}, up<&U::timeout>},
  {{"connect_timeout", kDuration, R"("1s")", 10, 30'000, "", kNo, kShow,
    "maximum time for DNS lookup, TCP and TLS"}, up<&U::connect_timeout>},
  {{"ca_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of the trusted CA certificates, reloaded when it changes; empty: the system's"}, up<&U::ca_file>},
  {{"client_certificate", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of the client certificate, if the Auth API requires one; reloaded when it changes"}, up<&U::client_certificate>},
  {{"client_key", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of its private key, without a passphrase; reloaded when it changes"}, up<&U::client_key>},
  {{"id_claim", kClaim, R"("id")", 1, 256, "", kNo, kShow,
    "the claim with the user's id, which must be a string or an integer"}, up<&U::id_claim>},
  {{"email_claim", kClaim, R"("email")", 1, 256, "", kNo, kShow,
    "the claim with the email address; users without one are valid"}, up<&U::email_claim>},
  {{"role_claims", kRoleClaims, R"(["role"])", 0, 32, "", kNo, kShow,
    "the claims with roles, in this order; see PROVIDERS.md. `form`: \"list\" is a string or a list of strings, \"words\" a string of words, \"keys\" a table whose keys are the roles"}, up<&U::role_claims>},
  {{"require", kRequired, "{}", 0, 32, "", kNo, kShow,
    "values that the claims must have: equal, or contained in a list; a user without them gets `claim_mismatch`"}, up<&U::require>},
  {{"require_token", kRequired, "{}", 0, 32, "", kNo, kShow,
    "values that the payload of the token must have, such as its audience; an opaque token has none"}, up<&U::require_token>},
  {{"max_claims_bytes", kSize, R"("64KiB")", 4 << 10, 64 << 10, "", kNo, kShow,
    "maximum size of a user's claims as JSON; larger ones are truncated to id, email and roles"}, up<&U::max_claims_bytes>},
  {{"max_token_bytes", kSize, R"("16KiB")", 1 << 10, 32 << 10, "", kNo, kShow,
    "maximum size of a token; a longer one is answered `too_long`"}, up<&U::max_token_bytes>},
  {{"rejection_statuses", kIntegers, "[401]", 400, 499, "", kNo, kShow,
    "HTTP statuses that mean the token is rejected; 401 is always included"}, up<&U::rejection_statuses>},
  {{"proxy", kProxy, R"("")", 0, 1024, "", kNo, kHide,
    "URL of a proxy, `http` or `https`; empty: none; environment variables are ignored"}, up<&U::proxy>},
  {{"proxy_credentials_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "file with `user:password` for the proxy, reloaded when it changes"}, up<&U::proxy_credentials_file>},
  {{"scheme", kString, R"("Bearer")", 1, 32, "", kNo, kShow,
    "scheme of the Authorization header, before the token"}, up<&U::scheme>},
  {{"request_header_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "file with one more request header, such as `X-Api-Key: value` for a gateway; reloaded when it changes"}, up<&U::request_header_file>},
  {{"client_id", kString, R"("")", 0, 256, "", kNo, kShow,
    "introspection: the daemon's client id at the Auth API"}, up<&U::client_id>},
  {{"client_secret_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "introspection: file with the secret of `client_id`, reloaded when it changes"}, up<&U::client_secret_file>},
  {{"client_auth", kEnum, R"("basic")", 0, 0, "basic|post|certificate", kNo, kShow,
    "introspection: how the daemon authenticates: id and secret in the Authorization header, in the form, or `client_certificate`"}, up<&U::client_auth>},
  {{"audience", kString, R"("")", 0, 1024, "", kNo, kShow,
    "introspection: value that `aud` must have or contain, otherwise the token is rejected; empty: any"}, up<&U::audience>},
  {{"accept_bound", kBoolean, "false", 0, 1, "", kNo, kShow,
    "introspection: accept tokens that are bound to a key of their client (`cnf`), although the daemon cannot check that key"}, up<&U::accept_bound>},
  {{"socket_user", kString, R"("")", 0, 64, "", kNo, kShow,
    "user, by name or uid, who may listen on the socket of an `http+unix` URL, in addition to root; empty: the owner of its directory"}, up<&U::socket_user>},
  {{"connection_max_age", kDuration, R"("60s")", 0, kHour, "", kNo, kShow,
    "no request starts on an older connection; `0s`: each request has its own"}, up<&U::connection_max_age>},
  {{"dns_cache", kDuration, R"("10s")", 0, kMinute, "", kNo, kShow,
    "how long a resolved name is used; a failed connection resolves it again at once"}, up<&U::dns_cache>},
  {{"no_store_ttl", kDuration, R"("0s")", 0, kMinute, "", kNo, kShow,
    "TTL of an answer that forbids caching by `no-store` or `no-cache`; a `max-age` still shortens it; `0s`: such answers are not cached"}, up<&U::no_store_ttl>},
  {{"default", kBoolean, "false", 0, 1, "", kNo, kShow,
    "use this upstream for clients that name none; a single upstream is always the default"}, up<&U::is_default>},
  {{"http2", kBoolean, "false", 0, 1, "", kNo, kShow,
    "use HTTP/2 if the Auth API supports it"}, up<&U::http2>},
  {{"connections", kInteger, "64", 1, 256, "", kNo, kShow,
    "maximum number of concurrent requests to each URL, and of connections kept open; if lower than `limits.max_in_flight`, admitted requests wait for a connection while their timeout runs"}, up<&U::connections>},
});
// clang-format on

}  // namespace

std::span<const Row<Config>> option_rows() {
  return kRows;
}
std::span<const Row<GateConfig>> gate_rows() {
  return kGateRows;
}
std::span<const Row<UpstreamConfig>> upstream_rows() {
  return kUpstreamRows;
}

}  // namespace claimsd::config
