// events.h: every event of the audit log, one row each. Names, exports, documentation and the
// events recorded per level are generated from this table.
//
// Codes are stored in files that are kept for years: add rows at the end, never renumber.
//
// OWASP name: Logging Vocabulary Cheat Sheet. Empty if none fits, as for an outage.
// OCSF class: Open Cybersecurity Schema Framework 1.3:
//   3001  Account Change
//   3002  Authentication
//   3003  Authorize Session
//   6002  Application Lifecycle
//   6003  API Activity
//   1008  Event Log Activity
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace claimsd::audit {

// How much is recorded. Each level includes the previous ones.
enum class Level : std::uint8_t {
  kFailures = 0,       // rejections, denials, outages, and every operator action
  kVerifications = 1,  // also every new confirmation by the Auth API
  kLeases = 2,         // also every lease granted or renewed
  kEvery = 3,          // also every hit; lookups the daemon cannot see must then be switched off
};

constexpr std::string_view name_of(Level level) {
  switch (level) {
    case Level::kFailures: return "failures";
    case Level::kVerifications: return "verifications";
    case Level::kLeases: return "leases";
    case Level::kEvery: return "every";
  }
  return "";
}

// E(identifier, code, name, level, OWASP name, OCSF class, OCSF activity, meaning, fields). Every
// record has sequence, times, event and count; `fields` lists the other fields of the event.
// clang-format off
#define CLAIMSD_AUDIT_EVENTS(E) \
  E(kVerified,        1,  "verified",         kVerifications, "authn_login_success",         3002, 1,  "the Auth API confirmed a token",                                                           "verdict reason token user peer upstream status source duration") \
  E(kRejected,         2,  "rejected",          kFailures,      "authn_login_fail",            3002, 1,  "the Auth API rejected a token, or its claims lack a required value",                       "verdict reason token peer upstream status source duration") \
  E(kRejectedLocally,  3,  "rejected_locally",  kFailures,      "authn_login_fail",            3002, 1,  "a token was rejected without a request: expired, malformed, revoked, over the rate limit", "verdict reason token user peer upstream") \
  E(kUnavailable,     4,  "unavailable",      kFailures,      "",                            3002, 1,  "there was no verdict about a token",                                                       "verdict reason token peer upstream status duration") \
  E(kDenied,          5,  "denied",           kFailures,      "authz_fail",                  6003, 2,  "a client reported that a user lacks a permission",                                         "status token user peer upstream method route roles") \
  E(kLeased,          6,  "leased",           kLeases,        "session_created",             3003, 1,  "workers may use an answer for some seconds without a query",                               "token user peer upstream duration") \
  E(kHit,             7,  "hit",              kEvery,         "authn_login_success",         3002, 1,  "a token was answered from the cache",                                                      "verdict reason token user peer upstream source") \
  E(kPurged,          8,  "purged",           kFailures,      "authn_token_delete",          3002, 2,  "an operator purged cached answers",                                                        "token user peer detail") \
  E(kRevoked,         9,  "revoked",          kFailures,      "authn_token_revoked",         3001, 5,  "an operator revoked a token, a user's tokens or all tokens",                               "token user peer duration detail") \
  E(kConfigured,      10, "configured",       kFailures,      "authz_admin",                 6002, 99, "the configuration changed",                                                                "peer detail") \
  E(kStarted,         11, "started",          kFailures,      "sys_startup",                 6002, 3,  "the daemon started",                                                                       "peer detail") \
  E(kStopped,         12, "stopped",          kFailures,      "sys_shutdown",                6002, 4,  "the daemon stopped normally",                                                              "peer detail") \
  E(kGap,             13, "gap",              kFailures,      "sys_monitor_disabled",        1008, 99, "events are missing: count says how many, first and last when",                             "detail") \
  E(kAnchored,        14, "anchored",         kFailures,      "sys_monitor_enabled",         1008, 99, "an anchor was signed for everything before this record",                                   "detail") \
  E(kSegmentDropped,  15, "segment_dropped",  kFailures,      "sensitive_delete",            1008, 1,  "retention deleted the oldest part of the log",                                             "detail") \
  E(kSuperseded,        16, "superseded",         kFailures,      "authn_login_fail",            3002, 1,  "the verdict changed while the previous record was being written",                          "verdict reason token user peer upstream source") \
  E(kUnauthenticated, 17, "unauthenticated",  kFailures,      "authn_login_fail",            3002, 1,  "a client reported that it answered a request with 401",                                    "verdict reason status token user peer upstream method route roles") \
  E(kReportedUnavailable,        18, "reported_unavailable",         kFailures,      "",                            3002, 1,  "a client reported that it answered a request with 503 because there was no verdict",       "verdict reason status token user peer upstream method route roles") \
  E(kUnacknowledged,  19, "unacknowledged",   kFailures,      "sys_monitor_disabled",        1008, 99, "a client counted reports that were never acknowledged",                                    "peer upstream") \
  E(kUnrevoked,       20, "unrevoked",        kFailures,      "authz_admin",                 3001, 99, "an operator withdrew a revocation",                                                        "peer detail") \
  E(kOverQuota,       22, "over_quota",       kFailures,      "excess_rate_limit_exceeded",  1008, 99, "reports of a uid beyond audit.max_bytes_per_uid were counted, not written",                "peer")
// clang-format on

enum class Event : std::uint8_t {
#define CLAIMSD_AUDIT_ENUM(identifier, code, ...) identifier = code,
  CLAIMSD_AUDIT_EVENTS(CLAIMSD_AUDIT_ENUM)
#undef CLAIMSD_AUDIT_ENUM
};

struct EventRow {
  Event event;
  std::string_view name;
  Level level;
  std::string_view owasp;
  std::uint32_t ocsf_class;
  std::uint32_t ocsf_activity;
  std::string_view meaning;
  std::string_view fields;
};

inline constexpr EventRow kAuditEvents[] = {
#define CLAIMSD_AUDIT_ROW(identifier, code, name, level, owasp, ocsf, activity, meaning, fields) \
  {Event::identifier, name, Level::level, owasp, ocsf, activity, meaning, fields},
    CLAIMSD_AUDIT_EVENTS(CLAIMSD_AUDIT_ROW)
#undef CLAIMSD_AUDIT_ROW
};

// Null for a code written by a newer daemon.
constexpr const EventRow* row_of(Event event) {
  for (const EventRow& row : kAuditEvents) {
    if (row.event == event) return &row;
  }
  return nullptr;
}

constexpr const EventRow* audit_event_named(std::string_view name) {
  for (const EventRow& row : kAuditEvents) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

constexpr std::string_view name_of(Event event) {
  const EventRow* const row = row_of(event);
  return row == nullptr ? "unknown" : row->name;
}

// Whether an event is recorded at this level.
constexpr bool recorded_at(Level level, Event event) {
  const EventRow* const row = row_of(event);
  return row == nullptr || row->level <= level;
}

}  // namespace claimsd::audit
