// wiring.h: translates the configuration into the settings of each component. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/admin/status.h"
#include "daemon/audit/recorder.h"
#include "daemon/claims/service.h"
#include "daemon/config/config.h"
#include "daemon/front_door/http_thread.h"
#include "daemon/server/server.h"
#include "daemon/shm/lease_map.h"
#include "daemon/upstream/fetch_thread.h"

namespace claimsd::daemon {

// `own_addresses`: of this host (host/own_addresses.h).
claims::Policy policy_from(const config::Config& config,
                           std::vector<std::string> own_addresses = {});
server::Settings server_settings_from(const config::Config& config);
// Whether the file descriptors that this configuration may need are at most `limit`. Worker
// connections come last: they must never take those of the Auth APIs, the files or the admin API.
Status descriptors_fit(const config::Config& config, std::uint64_t limit);
front_door::Settings front_door_settings_from(const config::Config& config);
front_door::HttpLimits front_door_limits_from(const config::Config& config);
audit::Level audit_level_of(const config::AuditConfig& audit);
audit::Settings audit_settings_from(const config::Config& config, const std::string& origin);
// Whether both configurations admit the same peers.
bool has_same_access(const config::DaemonConfig& one, const config::DaemonConfig& other);
shm::LeaseMapSettings lease_map_settings_from(const config::Config& config,
                                              const std::string& boot_id);
std::vector<upstream::UpstreamSettings> upstream_settings_from(const config::Config& config);
std::vector<admin::UpstreamStatus> upstream_rows_from(const config::Config& config);
std::vector<std::string> upstream_names_from(const config::Config& config);

// The key scope of each upstream: everything that an answer depends on. Two upstreams, or one before
// and after a configuration change, never share a cache entry.
std::vector<std::string> key_scopes_from(const config::Config& config);

// The upstream for a client's `url` ("": the default); none if it is not configured.
std::optional<server::UpstreamName> find_upstream(const config::Config& config,
                                                  std::string_view url);

// The upstream for clients that name none, if there is one.
std::optional<claims::UpstreamId> default_upstream(const config::Config& config);

// The upstream of the table [upstream.NAME].
std::optional<claims::UpstreamId> upstream_named(const config::Config& config,
                                                 std::string_view name);

}  // namespace claimsd::daemon
