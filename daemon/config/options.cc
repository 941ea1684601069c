#include "daemon/config/options.h"

#include <array>
#include <concepts>
#include <limits>

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
template <std::unsigned_integral T>
void store(T& to, const Value& value) {
  to = static_cast<T>(value.number);  // the row's range fits T; a test checks every row
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
void up(UpstreamConfig& upstream, const Value& value) {
  store(upstream.*Field, value);
}
// "unavailable" or "allow_unrecorded"
void when_full(Config& config, const Value& value) {
  config.audit.allow_when_full = value.number == 1;
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
using U = UpstreamConfig;
constexpr auto kD = &Config::daemon;
constexpr auto kC = &Config::cache;
constexpr auto kL = &Config::limits;
constexpr auto kR = &Config::revocations;
constexpr auto kA = &Config::audit;
constexpr auto kG = &Config::log;
constexpr auto kNo = Reload::kNo;
constexpr auto kYes = Reload::kYes;
constexpr auto kShow = Show::kYes;
constexpr auto kHide = Show::kNo;

constexpr std::int64_t kMaxSocketPath = 107;  // sun_path without its NUL: unix(7)
constexpr std::int64_t kMaxPath = 4095;       // PATH_MAX without its NUL
constexpr std::int64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;  // -1 is "no id"
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kYear = 365 * 24 * kHour;
constexpr std::int64_t kMiB = 1 << 20;

using enum OptionType;

// clang-format off
constexpr std::array kRows = std::to_array<Row<Config>>({
  {{"daemon.socket", kPath, R"("/run/claimsd/claims.sock")", 1, kMaxSocketPath, "", kNo, kShow,
    "where workers ask"}, in<kD, &D::socket>},
  {{"daemon.socket_mode", kMode, R"("0660")", 0, 0777, "", kNo, kShow,
    "permissions of that socket"}, in<kD, &D::socket_mode>},
  {{"daemon.socket_group", kString, R"("")", 0, 64, "", kNo, kShow,
    "group of that socket, by name or gid; empty: as it is created"}, in<kD, &D::socket_group>},
  {{"daemon.admin_socket", kPath, R"("/run/claimsd/admin.sock")", 1, kMaxSocketPath, "", kNo, kShow,
    "where `claimsctl` and Prometheus ask"}, in<kD, &D::admin_socket>},
  {{"daemon.admin_socket_mode", kMode, R"("0660")", 0, 0777, "", kNo, kShow,
    "permissions of the admin socket"}, in<kD, &D::admin_socket_mode>},
  {{"daemon.admin_socket_group", kString, R"("")", 0, 64, "", kNo, kShow,
    "group of the admin socket"}, in<kD, &D::admin_socket_group>},
  {{"daemon.metrics_listen", kString, R"("")", 0, 64, "", kNo, kShow,
    "where Prometheus may ask over TCP: an address of the loopback with a port, such as `127.0.0.1:9464`; only `/metrics`, `/healthz` and `/readyz` are there; empty: nowhere"},
    in<kD, &D::metrics_listen>},
  {{"daemon.allowed_uids", kIntegers, "[]", 0, kMaxId, "", kYes, kShow,
    "user ids that may ask; both lists empty: whoever may open the socket"}, in<kD, &D::allowed_uids>},
  {{"daemon.allowed_gids", kIntegers, "[]", 0, kMaxId, "", kYes, kShow,
    "group ids that may ask"}, in<kD, &D::allowed_gids>},
  {{"daemon.max_connections", kInteger, "1024", 1, 65536, "", kYes, kShow,
    "connections of workers, all together"}, in<kD, &D::max_connections>},
  {{"daemon.max_connections_per_uid", kInteger, "256", 1, 65536, "", kYes, kShow,
    "connections of one user id"}, in<kD, &D::max_connections_per_uid>},
  {{"daemon.write_queue_bytes", kSize, "262144", 64 << 10, 64 * kMiB, "", kYes, kShow,
    "answers waiting for one connection to read them; beyond it nothing more is read from that connection"},
    in<kD, &D::write_queue_bytes>},
  {{"daemon.slow_reader_timeout", kDuration, R"("5s")", 100, kMinute, "", kYes, kShow,
    "a connection that reads nothing for so long with its queue full is closed"}, in<kD, &D::slow_reader_timeout>},
  {{"daemon.handshake_timeout", kDuration, R"("2s")", 100, kMinute, "", kYes, kShow,
    "a connection that has not said hello by then is closed"}, in<kD, &D::handshake_timeout>},
  {{"daemon.stop_timeout", kDuration, R"("5s")", 0, kMinute, "", kYes, kShow,
    "time for answers in flight after SIGTERM"}, in<kD, &D::stop_timeout>},
  {{"daemon.shared_memory", kBoolean, "true", 0, 1, "", kNo, kShow,
    "workers find known tokens in shared memory, without asking; false: every question comes over the socket"}, in<kD, &D::shared_memory>},
  {{"daemon.system_call_filter", kBoolean, "true", 0, 1, "", kNo, kShow,
    "once started, the daemon can make no system calls but those it needs; false where a library in it (a name service, mostly) needs others"},
    in<kD, &D::system_call_filter>},

  {{"cache.directory", kPath, R"("/run/claimsd/cache")", 1, kMaxPath, "", kNo, kShow,
    "holds the sealed answers; keep it on a tmpfs"}, in<kC, &C::directory>},
  {{"cache.key_file", kPath, R"("/var/lib/claimsd/host.key")", 1, kMaxPath, "", kNo, kShow,
    "the key that seals them; made at the first start, mode 0400"}, in<kC, &C::key_file>},
  {{"cache.lease", kDuration, R"("5s")", 1000, kMinute, "", kYes, kShow,
    "how long a worker relies on the shared memory before it asks again; never longer than the answer's own life"}, in<kC, &C::lease>},
  {{"cache.map_slots", kInteger, "16384", 64, 1 << 20, "", kNo, kShow,
    "answers that the shared memory shows at one time, a power of two; each takes 1 KiB there and 0.1 KiB in the daemon"},
    in<kC, &C::map_slots>},
  {{"cache.max_entries", kInteger, "100000", 100, 10'000'000, "", kNo, kShow,
    "answers kept"}, in<kC, &C::max_entries>},
  {{"cache.memory_entries", kInteger, "1024", 0, 65536, "", kNo, kShow,
    "of them kept open in memory, token and claims; each costs a few KiB"}, in<kC, &C::memory_entries>},
  {{"cache.max_bytes", kSize, R"("64MiB")", kMiB, 64 * 1024 * kMiB, "", kNo, kShow,
    "size of the cache's file; small entries are in memory once more, as sealed as there, in as much at most"}, in<kC, &C::max_bytes>},
  {{"cache.max_ttl", kDuration, R"("60s")", 1000, 5 * kMinute, "", kYes, kShow,
    "no answer is believed for longer"}, in<kC, &C::max_ttl>},
  {{"cache.negative_ttl", kDuration, R"("5s")", 0, kMinute, "", kYes, kShow,
    "how long a refusal is believed"}, in<kC, &C::negative_ttl>},
  {{"cache.negative_entries", kInteger, "10000", 0, 1'000'000, "", kNo, kShow,
    "refusals kept, apart from the answers"}, in<kC, &C::negative_entries>},
  {{"cache.clock_skew", kDuration, R"("30s")", 0, 5 * kMinute, "", kYes, kShow,
    "how far this clock and the issuer's may differ: an answer ends so long before the token's `exp`, and only a token past it by so much is refused unasked"},
    in<kC, &C::clock_skew>},
  {{"cache.ttl_jitter_percent", kInteger, "10", 0, 50, "", kYes, kShow,
    "lives are shortened by up to so much, so that they don't end together"}, in<kC, &C::ttl_jitter_percent>},
  {{"cache.stale_if_error", kDuration, R"("0s")", 0, 5 * kMinute, "", kYes, kShow,
    "so long after its life an answer may still be given, marked as stale, while the Auth API cannot say better; never past the token's `exp`, never after a refusal"},
    in<kC, &C::stale_if_error>},
  {{"cache.refresh_ahead_percent", kInteger, "10", 0, 50, "", kYes, kShow,
    "an answer that is used in this last part of its life is asked for again ahead of time"}, in<kC, &C::refresh_ahead_percent>},

  {{"limits.max_in_flight", kInteger, "64", 1, 4096, "", kYes, kShow,
    "requests to one Auth API at one time"}, in<kL, &L::max_in_flight>},
  {{"limits.max_pending", kInteger, "4096", 0, 1'000'000, "", kYes, kShow,
    "requests to one Auth API waiting for their turn"}, in<kL, &L::max_pending>},
  {{"limits.max_waiters", kInteger, "65536", 1, 10'000'000, "", kYes, kShow,
    "queries waiting for requests"}, in<kL, &L::max_waiters>},
  {{"limits.max_waiters_per_uid", kInteger, "16384", 1, 10'000'000, "", kYes, kShow,
    "of them, those of one user id"}, in<kL, &L::max_waiters_per_uid>},
  {{"limits.max_timeout", kDuration, R"("30s")", 100, 10 * kMinute, "", kYes, kShow,
    "a client may wait no longer, whatever it asks for"}, in<kL, &L::max_timeout>},
  {{"limits.failure_threshold", kInteger, "3", 1, 1000, "", kYes, kShow,
    "after so many failures in a row, each with another token, an Auth API is left alone for a while, and then probed; after so many of one token's that token"}, in<kL, &L::failure_threshold>},
  {{"limits.max_backoff", kDuration, R"("30s")", 1000, 10 * kMinute, "", kYes, kShow,
    "the longest such while; the first is at most a second"}, in<kL, &L::max_backoff>},
  {{"limits.retry_percent", kInteger, "20", 0, 100, "", kYes, kShow,
    "of all requests, how many may be made again at another URL of the Auth API"}, in<kL, &L::retry_percent>},
  {{"limits.misses_per_uid", kInteger, "1000", 0, 1'000'000, "", kYes, kShow,
    "requests a second that one user id may cause; 0: no limit"}, in<kL, &L::misses_per_uid>},
  {{"limits.miss_burst_per_uid", kInteger, "10000", 1, 10'000'000, "", kYes, kShow,
    "and so many at once; a quarter is kept for tokens that were valid before"}, in<kL, &L::miss_burst_per_uid>},
  {{"limits.misses_per_client", kInteger, "50", 0, 1'000'000, "", kYes, kShow,
    "requests a second for one client address, where the question names one (an IPv6 /64 is one); 0: no limit"}, in<kL, &L::misses_per_client>},
  {{"limits.miss_burst_per_client", kInteger, "500", 1, 10'000'000, "", kYes, kShow,
    "and so many at once"}, in<kL, &L::miss_burst_per_client>},
  {{"limits.reports_per_uid", kInteger, "100", 0, 1'000'000, "", kYes, kShow,
    "refusals a second that the workers of one user id may report with a record each, and as many again of users whom the daemon knows; more are counted together; 0: no limit"}, in<kL, &L::reports_per_uid>},
  {{"limits.report_burst_per_uid", kInteger, "1000", 1, 10'000'000, "", kYes, kShow,
    "and so many at once"}, in<kL, &L::report_burst_per_uid>},

  {{"revocations.directory", kPath, R"("/var/lib/claimsd/revocations")", 1, kMaxPath, "", kNo, kShow,
    "holds what was revoked, and the key of it; keep it on a disk, and in the backup"}, in<kR, &R::directory>},
  {{"revocations.max_entries", kInteger, "100000", 100, 10'000'000, "", kNo, kShow,
    "tokens and users that can be revoked at one time; a full one refuses"}, in<kR, &R::max_entries>},
  {{"revocations.keep", kDuration, R"("8760h")", 24 * kHour, 87'600 * kHour, "", kYes, kShow,
    "how long a user's tokens from before a revocation are denied: longer than the Auth API's tokens live"},
    in<kR, &R::keep>},

  {{"audit.enabled", kBoolean, "true", 0, 0, "", kNo, kShow,
    "keep the audit log"}, in<kA, &A::enabled>},
  {{"audit.directory", kPath, R"("/var/lib/claimsd/audit")", 1, kMaxPath, "", kNo, kShow,
    "holds it; keep it on a disk"}, in<kA, &A::directory>},
  {{"audit.level", kEnum, R"("failures")", 0, 0, "failures|verifications|leases|every", kNo, kShow,
    "what is recorded: refusals, outages and what operators do; also each confirmation by the Auth API; also each lease; also each hit, for which workers then have to ask the daemon every time (as with `shared_memory = false`)"}, in<kA, &A::level>},
  {{"audit.before_answer", kBoolean, "true", 0, 0, "", kNo, kShow,
    "an answer leaves only when its record is on disk"}, in<kA, &A::before_answer>},
  {{"audit.when_full", kEnum, R"("unavailable")", 0, 0, "unavailable|allow_unrecorded", kNo, kShow,
    "what becomes of an answer that cannot be recorded: it is `unavailable`, or it leaves and is counted as missing from the log"}, when_full},
  {{"audit.keep", kDuration, R"("52560h")", 24 * kHour, 100 * kYear, "", kNo, kShow,
    "how long records are kept: six years"}, in<kA, &A::keep>},
  {{"audit.max_bytes", kSize, R"("16GiB")", 4 * kMiB, 64 * 1024 * kMiB, "", kNo, kShow,
    "size of the log; the oldest segments go when it is larger"}, in<kA, &A::max_bytes>},
  {{"audit.segment_bytes", kSize, R"("64MiB")", kMiB, 1024 * kMiB, "", kNo, kShow,
    "size of one segment; there is a new one each day besides"}, in<kA, &A::segment_bytes>},
  {{"audit.max_records", kInteger, "4096", 16, 1'000'000, "", kNo, kShow,
    "records waiting for one commit; a flood counts as a few"}, in<kA, &A::max_records>},
  {{"audit.max_waiting", kInteger, "65536", 16, 10'000'000, "", kNo, kShow,
    "answers waiting for their records, of which one user id has half at most"}, in<kA, &A::max_waiting>},
  {{"audit.anchors_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "a second copy of the signed anchors, best on another file system; they are logged in any case"}, in<kA, &A::anchors_file>},

  {{"log.level", kEnum, R"("info")", 0, 0, "debug|info|warning|error", kYes, kShow,
    "the least that is logged"}, in<kG, &G::level>},
  {{"log.format", kEnum, R"("auto")", 0, 0, "auto|text|journal|json", kYes, kShow,
    "`text` begins with the time, `journal` with a priority, `json` is an object a line; `auto`: `journal` under systemd"}, in<kG, &G::format>},
});

constexpr std::array kUpstreamRows = std::to_array<Row<UpstreamConfig>>({
  {{"url", kUrl, R"("")", 0, 1024, "", kNo, kHide,
    "the Auth API; `https`, or `http` to a loopback host"}, one_url},
  {{"urls", kUrls, "[]", 0, 1024, "", kNo, kHide,
    "or several, tried in order"}, all_urls},
  {{"path", kUrlPath, R"("/api/me/")", 1, 256, "", kNo, kShow,
    "what is asked there with the token"}, up<&U::path>},
  {{"timeout", kDuration, R"("3s")", 100, 30'000, "", kNo, kShow,
    "for one request, all of it"}, up<&U::timeout>},
  {{"connect_timeout", kDuration, R"("1s")", 10, 30'000, "", kNo, kShow,
    "for its name look-up, TCP and TLS"}, up<&U::connect_timeout>},
  {{"ca_file", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of the authorities to trust, which is read again when it changes; empty: the system's"}, up<&U::ca_file>},
  {{"client_certificate", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file, where the Auth API wants one; read again when it changes"}, up<&U::client_certificate>},
  {{"client_key", kPath, R"("")", 0, kMaxPath, "", kNo, kShow,
    "PEM file of its key, without a passphrase; read again when it changes"}, up<&U::client_key>},
  {{"id_claim", kString, R"("id")", 1, 128, "", kNo, kShow,
    "name of the claim that identifies the user"}, up<&U::id_claim>},
  {{"email_claim", kString, R"("email")", 1, 128, "", kNo, kShow,
    "name of the claim with the address"}, up<&U::email_claim>},
  {{"role_claim", kString, R"("role")", 1, 128, "", kNo, kShow,
    "name of the claim with the role, or a list of them"}, up<&U::role_claim>},
  {{"rejection_statuses", kIntegers, "[401]", 400, 499, "", kNo, kShow,
    "HTTP statuses that mean the token is refused; 401 always does"}, up<&U::rejection_statuses>},
  {{"proxy", kProxy, R"("")", 0, 1024, "", kNo, kHide,
    "a proxy, `http` or `https`; empty: none, whatever the environment says"}, up<&U::proxy>},
  {{"default", kBoolean, "false", 0, 1, "", kNo, kShow,
    "answers clients that name no upstream; a single upstream does anyway"}, up<&U::is_default>},
  {{"http2", kBoolean, "false", 0, 1, "", kNo, kShow,
    "speak HTTP/2 where the Auth API can"}, up<&U::http2>},
  {{"connections", kInteger, "64", 1, 256, "", kNo, kShow,
    "requests to each of its URLs at once, and connections kept open; fewer than `limits.max_in_flight` let admitted requests wait, their time running"}, up<&U::connections>},
});
// clang-format on

}  // namespace

std::span<const Row<Config>> option_rows() {
  return kRows;
}
std::span<const Row<UpstreamConfig>> upstream_rows() {
  return kUpstreamRows;
}

}  // namespace claimsd::config
