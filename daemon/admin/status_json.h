// status_json.h: the status as JSON, for claimsctl, curl and scripts. Pure; any thread.
//
// Every object contains "schema": 1. Within one schema number, members may be added, but never
// renamed, removed or changed in meaning. Durations are in seconds, times RFC 3339 in UTC.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/health.h"
#include "daemon/admin/status.h"
#include "daemon/base/json_writer.h"

namespace claimsd::admin {

inline constexpr int kStatusSchema = 1;

// "2026-01-01T00:00:00Z".
std::string rfc3339(WallTime time);
double in_seconds(Duration duration);

// The member "counters": those of every component, by name.
void write_counters(JsonWriter& json, const DaemonStatus& status);

// The whole status: `well` and `findings`, then the numbers.
std::string status_json(const DaemonStatus& status);

// Whether the daemon can answer queries. If `ready` is false it lists the reasons.
std::string readiness_json(const std::vector<Finding>& findings, bool ready);

}  // namespace claimsd::admin
