// status_json.h: a status as JSON, for claimsctl, curl and scripts. Pure; any thread.
//
// Every object says "schema": 1. Members may be added under one schema number, never renamed,
// removed or given another meaning. Times are seconds, moments RFC 3339 in UTC.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/health.h"
#include "daemon/admin/status.h"
#include "daemon/base/json_writer.h"

namespace claimsd::daemon {

inline constexpr int kStatusSchema = 1;

// "2026-01-01T00:00:00Z".
std::string rfc3339(WallTime time);
double in_seconds(Duration duration);

// The member "counters": those of every part, by their names.
void write_counters(JsonWriter& json, const DaemonStatus& status);

// The whole status: `well` and `findings`, then the numbers.
std::string status_json(const DaemonStatus& status);

// Is the daemon able to take questions? `ready` false comes with the reasons.
std::string readiness_json(const std::vector<Finding>& findings, bool ready);

// {"error": {...}}: what every refusal of the admin API looks like.
std::string error_json(std::string_view code, std::string_view message, std::string_view hint);

}  // namespace claimsd::daemon
