#include "daemon/wiring.h"

#include <algorithm>

#include "daemon/config/convert_claims.h"
#include "daemon/config/url.h"

namespace claimsd::daemon {
namespace {

// Prefix each part with its size, so that different lists never produce the same text.
void append_part(std::string& scope, std::string_view part) {
  scope += fmt::format("{}:", part.size());
  scope += part;
}

// A number before each list, so that an item cannot move from one list to the next.
void append_claims(std::string& scope, const config::UpstreamConfig& upstream) {
  append_part(scope, upstream.id_claim.text);
  append_part(scope, upstream.email_claim.text);
  append_part(scope, std::to_string(upstream.role_claims.size()));
  for (const RoleClaim& claim : upstream.role_claims) {
    append_part(scope, claim.at.text);
    append_part(scope, config::name_of(claim.form));
  }
  for (const auto* required : {&upstream.require, &upstream.require_token}) {
    append_part(scope, std::to_string(required->size()));
    for (const RequiredClaim& one : *required) append_part(scope, config::exact(one));
  }
  append_part(scope, std::to_string(upstream.max_claims_bytes));
}

std::string key_scope(const config::UpstreamConfig& upstream) {
  std::string scope;
  append_part(scope, upstream.name);
  for (const std::string& url : upstream.urls) append_part(scope, url);
  append_part(scope, upstream.path);
  append_claims(scope, upstream);
  // Which server may answer, and the daemon's identity.
  for (const std::filesystem::path* path :
       {&upstream.ca_file, &upstream.client_certificate, &upstream.client_key}) {
    append_part(scope, path->native());
  }
  for (const std::filesystem::path* path :
       {&upstream.client_secret_file, &upstream.request_header_file,
        &upstream.proxy_credentials_file}) {
    append_part(scope, path->native());
  }
  append_part(scope, upstream.proxy);
  for (const std::string* part :
       {&upstream.client_id, &upstream.audience, &upstream.scheme, &upstream.socket_user}) {
    append_part(scope, *part);
  }
  append_part(scope, fmt::format("{} {} {} {}", static_cast<int>(upstream.kind),
                                 static_cast<int>(upstream.client_auth), upstream.accept_bound,
                                 upstream.no_store_ttl.count()));
  for (const std::uint32_t status : upstream.rejection_statuses)
    append_part(scope, std::to_string(status));
  return scope;
}

// A request may try an IPv4 and an IPv6 address at the same time.
constexpr std::uint64_t kSocketsPerRequest = 2;
// Listeners, timers, the cache, the revocations, the audit log and its reader, certificates, the
// name service; and two HTTP servers at their limit.
constexpr std::uint64_t kOtherDescriptors = 192;

upstream::Kind kind_of(config::UpstreamKind kind) {
  return kind == config::UpstreamKind::kUserinfo ? upstream::Kind::kUserinfo
                                                 : upstream::Kind::kIntrospection;
}

upstream::ClientAuth client_auth_of(config::ClientAuth how) {
  switch (how) {
    case config::ClientAuth::kBasic: return upstream::ClientAuth::kBasic;
    case config::ClientAuth::kPost: return upstream::ClientAuth::kPost;
    case config::ClientAuth::kCertificate: return upstream::ClientAuth::kCertificate;
  }
  return upstream::ClientAuth::kBasic;
}

// A hit in the map leaves no record, so with this level workers do not get the map.
bool records_every_hit(const config::AuditConfig& audit) {
  return audit.enabled && audit_level_of(audit) == audit::Level::kEvery;
}

claims::AuditScope audit_scope_from(const config::AuditConfig& audit) {
  if (!audit.enabled) return {};
  const audit::Level level = audit_level_of(audit);
  return {.failures = true,
          .verifications = level >= audit::Level::kVerifications,
          .leases = level >= audit::Level::kLeases,
          .hits = level >= audit::Level::kEvery};
}

}  // namespace

audit::Level audit_level_of(const config::AuditConfig& audit) {
  static_assert(static_cast<int>(config::AuditDetail::kEvery) ==
                static_cast<int>(audit::Level::kEvery));
  return static_cast<audit::Level>(audit.level);
}

claims::Policy policy_from(const config::Config& config, std::vector<std::string> own_addresses) {
  claims::Policy policy;
  policy.ttl = {.max_ttl = config.cache.max_ttl,
                .clock_skew = config.cache.clock_skew,
                .jitter_percent = config.cache.ttl_jitter_percent,
                .stale_if_error = config.cache.stale_if_error,
                .refresh_percent = config.cache.refresh_ahead_percent};
  policy.negative_ttl = config.cache.negative_ttl;
  policy.negative_entries = config.cache.negative_entries;
  policy.max_entries = config.cache.max_entries;
  policy.memory_entries = config.cache.memory_entries;
  policy.max_in_flight = config.limits.max_in_flight;
  policy.max_pending = config.limits.max_pending;
  policy.max_waiters = config.limits.max_waiters;
  policy.max_timeout = config.limits.max_timeout;
  policy.lease = config.cache.lease;
  policy.max_waiters_per_uid = config.limits.max_waiters_per_uid;
  policy.breaker = {.failure_threshold = config.limits.failure_threshold,
                    .longest_backoff = config.limits.max_backoff,
                    .retry_percent = config.limits.retry_percent};
  policy.rate_limit.per_uid = {.per_second = config.limits.misses_per_uid,
                               .burst = config.limits.miss_burst_per_uid};
  policy.rate_limit.per_client = {.per_second = config.limits.misses_per_client,
                                  .burst = config.limits.miss_burst_per_client};
  policy.rate_limit.own_addresses = std::move(own_addresses);
  policy.reports.per_uid = {.per_second = config.limits.reports_per_uid,
                            .burst = config.limits.report_burst_per_uid};
  policy.audit = audit_scope_from(config.audit);
  policy.revocations.max_rules = config.revocations.max_entries;
  policy.revocations.keep = config.revocations.keep;
  for (const config::UpstreamConfig& upstream : config.upstreams) {
    claims::UpstreamPolicy& row = policy.upstreams.emplace_back();
    row.name = upstream.name;
    row.urls = upstream.urls.size();
    row.mapping = {.id = upstream.id_claim,
                   .email = upstream.email_claim,
                   .roles = upstream.role_claims,
                   .require = upstream.require,
                   .require_token = upstream.require_token,
                   .max_raw = upstream.max_claims_bytes};
    row.max_token = upstream.max_token_bytes;
    if (upstream.kind == config::UpstreamKind::kIntrospection)
      row.introspection = {.audience = upstream.audience, .accept_bound = upstream.accept_bound};
    row.no_store_ttl = std::chrono::ceil<seconds>(upstream.no_store_ttl);
    row.rejection_statuses.assign(upstream.rejection_statuses.begin(),
                                  upstream.rejection_statuses.end());
  }
  return policy;
}

server::Settings server_settings_from(const config::Config& config) {
  const config::DaemonConfig& daemon = config.daemon;
  return {.admission = {.allowed_uids = daemon.allowed_uids,
                        .allowed_gids = daemon.allowed_gids,
                        .max_connections = daemon.max_connections,
                        .max_connections_per_uid = daemon.max_connections_per_uid,
                        .connects_per_uid = daemon.connects_per_uid},
          .write_queue_bytes = daemon.write_queue_bytes,
          .slow_reader_timeout = daemon.slow_reader_timeout,
          .handshake_timeout = daemon.handshake_timeout};
}

front_door::Settings front_door_settings_from(const config::Config& config) {
  const std::optional<server::UpstreamName> by_default = find_upstream(config, "");
  front_door::Settings settings;
  if (by_default) {
    // The response to an introspection request is for the daemon, not for its clients.
    settings.serves_document =
        config.upstreams[by_default->id].kind != config::UpstreamKind::kIntrospection;
    settings.upstream = by_default->id;
    settings.gates.push_back(
        {.name = config::kBuiltInGate, .roles = {}, .upstream = by_default->id});
  }
  for (const config::GateConfig& gate : config.http.gates) {
    const auto upstream = gate.upstream.empty() ? std::optional(settings.upstream)
                                                : upstream_named(config, gate.upstream);
    // Configuration checks that each gate has an upstream.
    if (upstream) settings.gates.push_back({gate.name, gate.roles, *upstream});
  }
  settings.realm = config.http.realm;
  settings.client_address_header = config.http.client_address_header;
  settings.trusted_uids = config.http.trusted_uids;
  settings.admission = server_settings_from(config).admission;
  return settings;
}

front_door::HttpLimits front_door_limits_from(const config::Config& config) {
  return {.connections = config.http.max_connections,
          .connections_per_uid = config.http.max_connections_per_uid,
          .idle_timeout = std::chrono::ceil<std::chrono::seconds>(config.http.idle_timeout)};
}

audit::Settings audit_settings_from(const config::Config& config, const std::string& origin) {
  const config::AuditConfig& audit = config.audit;
  audit::Settings settings;
  settings.log.store = {.directory = audit.directory.native(),
                        .origin = origin,
                        .segment_bytes = audit.segment_bytes,
                        .retention = {.age = audit.keep, .bytes = audit.max_bytes}};
  settings.log.policy.level = audit_level_of(audit);
  settings.log.policy.before_answer = audit.before_answer;
  settings.log.policy.when_full =
      audit.allow_when_full ? audit::WhenFull::kAllowUnrecorded : audit::WhenFull::kUnavailable;
  settings.log.policy.max_records = audit.max_records;
  settings.log.policy.max_tickets = audit.max_waiting;
  settings.log.policy.max_bytes_per_uid = audit.max_bytes_per_uid;
  settings.anchors_file = audit.anchors_file.native();
  settings.upstreams = upstream_names_from(config);
  return settings;
}

Status descriptors_fit(const config::Config& config, std::uint64_t limit) {
  std::uint64_t upstream = 0;
  for (const config::UpstreamConfig& one : config.upstreams)
    upstream += one.urls.size() * one.connections * kSocketsPerRequest;
  const std::uint64_t reserved = upstream + kOtherDescriptors;
  const std::uint64_t workers = config.daemon.max_connections;
  if (workers + reserved <= limit) return {};
  return failure(fmt::format(
      "daemon.max_connections = {} needs {} file descriptors ({} of them for requests to the Auth "
      "APIs and {} "
      "for files and the admin API), but this process may have {}: raise LimitNOFILE in the unit "
      "(ulimit -n), or {}",
      workers, workers + reserved, upstream, kOtherDescriptors, limit,
      reserved < limit ? fmt::format("set daemon.max_connections to at most {}", limit - reserved)
                       : "lower the connections of the upstreams"));
}

bool has_same_access(const config::DaemonConfig& one, const config::DaemonConfig& other) {
  return one.allowed_uids == other.allowed_uids && one.allowed_gids == other.allowed_gids;
}

shm::LeaseMapSettings lease_map_settings_from(const config::Config& config,
                                              const std::string& boot_id) {
  return {.on = config.daemon.shared_memory && !records_every_hit(config.audit),
          .slots = config.cache.map_slots,
          .directory = config.cache.directory,
          .boot_id = boot_id};
}

std::vector<upstream::UpstreamSettings> upstream_settings_from(const config::Config& config) {
  std::vector<upstream::UpstreamSettings> settings;
  for (const config::UpstreamConfig& upstream : config.upstreams) {
    for (const std::string& url : upstream.urls)
      settings.push_back(
          {.name = upstream.name,
           .next_url = &url != &upstream.urls.front(),
           .url = url,
           .path = upstream.path,
           .socket_user = upstream.socket_user,
           .kind = kind_of(upstream.kind),
           .scheme = upstream.scheme,
           .client_id = upstream.client_id,
           .client_auth = client_auth_of(upstream.client_auth),
           .client_secret_file = upstream.client_secret_file,
           .request_header_file = upstream.request_header_file,
           .proxy_credentials_file = upstream.proxy_credentials_file,
           .timeout = upstream.timeout,
           .connect_timeout = upstream.connect_timeout,
           .ca_file = upstream.ca_file,
           .client_certificate = upstream.client_certificate,
           .client_key = upstream.client_key,
           .proxy = upstream.proxy,
           .http2 = upstream.http2,
           .connections = upstream.connections,
           .connection_max_age = std::chrono::ceil<seconds>(upstream.connection_max_age),
           .dns_cache = std::chrono::ceil<seconds>(upstream.dns_cache)});
  }
  return settings;
}

std::vector<admin::UpstreamStatus> upstream_rows_from(const config::Config& config) {
  std::vector<admin::UpstreamStatus> rows;
  for (const config::UpstreamConfig& upstream : config.upstreams) {
    admin::UpstreamStatus& row = rows.emplace_back();
    row.name = upstream.name;
    row.url = upstream.urls.front();
    row.is_default = upstream.is_default;
    for (const RoleClaim& claim : upstream.role_claims)
      row.documents.role_claims.push_back({.name = claim.at.text});
  }
  return rows;
}

std::vector<std::string> key_scopes_from(const config::Config& config) {
  std::vector<std::string> scopes;
  for (const config::UpstreamConfig& upstream : config.upstreams)
    scopes.push_back(key_scope(upstream));
  return scopes;
}

std::vector<std::string> upstream_names_from(const config::Config& config) {
  std::vector<std::string> names;
  for (const config::UpstreamConfig& upstream : config.upstreams) names.push_back(upstream.name);
  return names;
}

std::optional<claims::UpstreamId> default_upstream(const config::Config& config) {
  const config::UpstreamConfig* const upstream = config.default_upstream();
  return upstream != nullptr ? upstream_named(config, upstream->name) : std::nullopt;
}

std::optional<claims::UpstreamId> upstream_named(const config::Config& config,
                                                 std::string_view name) {
  const auto& all = config.upstreams;
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const config::UpstreamConfig& it) { return it.name == name; });
  if (found == all.end()) return std::nullopt;
  return static_cast<claims::UpstreamId>(found - all.begin());
}

std::optional<server::UpstreamName> find_upstream(const config::Config& config,
                                                  std::string_view url) {
  const auto& all = config.upstreams;
  auto found = all.end();
  if (url.empty()) {
    found = std::find_if(all.begin(), all.end(),
                         [](const config::UpstreamConfig& it) { return it.is_default; });
  } else if (const Result<std::string> normal = config::normalise_upstream_url(url)) {
    found = std::find_if(all.begin(), all.end(), [&](const config::UpstreamConfig& it) {
      return std::find(it.urls.begin(), it.urls.end(), *normal) != it.urls.end();
    });
  }
  if (found == all.end()) return std::nullopt;
  return server::UpstreamName{.id = static_cast<claims::UpstreamId>(found - all.begin()),
                              .name = found->name};
}

}  // namespace claimsd::daemon
