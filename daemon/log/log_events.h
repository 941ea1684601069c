// log_events.h: the table of log events. Generates the documentation and says which events are
// rate-limited (log/rate_limited_log.h); a test compares it with the source. Constant data; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace claimsd {

struct LogEvent {
  std::string_view id;
  std::string_view level;
  bool rate_limited;  // others can cause it at will: at most ten lines in ten seconds, then a count
  std::string_view meaning;
};

// clang-format off
inline constexpr auto kLogEvents = std::to_array<LogEvent>({
  {"started", "info", false, "the daemon is ready"},
  {"stopping", "info", false, "a stop signal was received; open queries are answered first"},
  {"stopped", "info", false, "the daemon has stopped; number of queries and requests"},
  {"stop_forced", "warning", false, "`daemon.stop_timeout` passed with unanswered queries"},
  {"start_failed", "error", false, "the daemon could not start, and why"},
  {"not_configured", "warning", false, "no URL of an Auth API is set: queries are answered unavailable until a reload finds one"},
  {"unclean_stop", "warning", false, "the previous daemon was killed"},
  {"syscall_filter_off", "warning", false, "the system call filter is off"},
  {"unhealthy", "error", false, "a fault that only a restart fixes; the watchdog is no longer fed"},
  {"socket_lost", "error", false, "the path of a socket no longer leads to the daemon: its file was removed or replaced"},
  {"socket_found", "info", false, "the path of a socket leads to the daemon again"},
  {"shared_memory_off", "warning", false, "there is no shared map: every query goes over the socket"},
  {"reloaded", "info", false, "the configuration was reloaded and is in effect"},
  {"option_changed", "info", false, "an option changed by a reload, with its old and new value"},
  {"reload_refused", "warning", false, "a reload failed and changed nothing, and why"},
  {"log_level", "info", false, "an operator changed the log level"},
  {"purged", "info", false, "a purge by an operator is in effect"},
  {"revoked", "info", false, "a revocation by an operator is in effect"},
  {"unrevoked", "info", false, "an operator withdrew a revocation"},
  {"suppressed", "warning", false, "lines of a rate-limited event were suppressed"},
  {"upstream_failed", "warning", true, "a request to an Auth API failed; at most one line in ten seconds for each Auth API"},
  {"upstream_recovered", "info", true, "an Auth API answers again"},
  {"upstream_disagrees", "warning", true, "an old connection to an Auth API rejected a token that a new one confirmed; the connections are dropped"},
  {"upstream_credentials", "error", true, "an Auth API rejects the daemon's own credentials: every new token is answered unavailable"},
  {"certificate_wanted", "error", true, "an Auth API requires a client certificate and none is configured"},
  {"caching_forbidden", "warning", true, "the latest answers of an Auth API forbid caching: every lookup is a request"},
  {"certificates_reloaded", "info", false, "changed certificate files of an Auth API are in effect"},
  {"certificates_refused", "warning", true, "changed certificate files are invalid; the previous ones stay in effect"},
  {"certificate_ended", "warning", true, "the client certificate in effect has expired"},
  {"claims_truncated", "warning", false, "a user's claims are larger than `max_claims_bytes`; once for each Auth API, then counted"},
  {"email_claim_odd", "warning", false, "the email claim is no email address; once for each Auth API, then counted"},
  {"role_claim_missing", "warning", false, "none of the first 20 claims documents of an Auth API had this configured role claim"},
  {"upstream_tested", "info", false, "an operator tests an Auth API with one request (`claimsctl test-upstream`)"},
  {"retry_requested", "info", false, "an operator ended the backoff of an Auth API (`claimsctl retry`)"},
  {"deadline_passed", "info", true, "a query with a trace id was not answered before its timeout"},
  {"accept_failed", "error", true, "a worker's connection could not be accepted"},
  {"peer_unknown", "warning", true, "the kernel reported no credentials for a connection"},
  {"peer_refused", "warning", true, "a connection was rejected: its user is not allowed, or a connection limit is reached"},
  {"peer_cut_off", "info", true, "a connection was closed because a reload no longer allows its user"},
  {"peer_timed_out", "warning", true, "a connection was closed: no hello or no reads within the timeout"},
  {"slow_reader", "warning", true, "a connection was closed: too many unread answers"},
  {"fetch_poll", "error", true, "a socket to an Auth API could not be polled"},
  {"fetch_multi", "error", true, "libcurl failed"},
  {"upstream_socket", "error", true, "the Unix socket of an Auth API could not be used: nothing listens there, or a process of an untrusted user"},
  {"cache_kept", "info", false, "the cache of the previous daemon is still in use"},
  {"cache_empty", "info", false, "the cache starts empty, and why"},
  {"cache_failed", "error", true, "the cache file could not be read or written"},
  {"cache_disk_full", "warning", true, "the file system of the cache is full: new entries replace others, or are not cached"},
  {"cache_dropped", "error", true, "the cache was discarded because its file could not be trusted"},
  {"cache_closed", "error", true, "the cache could not be recreated: nothing is cached"},
  {"cache_reopened", "warning", true, "the cache was recreated"},
  {"cache_tampered", "warning", true, "an entry of the cache is not what this daemon wrote"},
  {"revocations_loaded", "info", false, "how many revocation rules are in effect at the start"},
  {"revocations_accepted", "warning", false, "an older set of revocations is used, as `--accept-revocations` says"},
  {"revocation_not_durable", "error", true, "revocations are in effect, but not on disk; the daemon keeps trying"},
  {"revocations_lost", "error", false, "the daemon stopped before its revocations were on disk"},
  {"revocation_copy_failed", "warning", true, "the copy of the head of the revocations could not be written"},
  {"revocation_copy_unreadable", "warning", false, "a copy of the head of the revocations could not be read at the start"},
  {"fleet_connected", "info", true, "this host is connected to the Redis of its fleet"},
  {"fleet_disconnected", "warning", true, "this host is not connected to the Redis of its fleet, and why; each cause once"},
  {"fleet_current", "info", true, "this host has all revocations of its fleet"},
  {"fleet_not_current", "warning", true, "this host may lack revocations of its fleet, why, and whether it answers queries"},
  {"fleet_received", "info", true, "an action that was ordered on another host of the fleet is in effect"},
  {"fleet_write_refused", "warning", true, "the Redis of the fleet refused a write"},
  {"fleet_user_excess", "warning", true, "the user of Redis may do more than the fleet needs"},
  {"fleet_host_file", "warning", true, "the time when this host was last current could not be written to disk"},
  {"audit_damaged", "error", false, "the audit log failed verification"},
  {"audit_cut", "error", false, "the end of the audit log is missing"},
  {"audit_failed", "error", true, "the audit log cannot be written"},
  {"audit_recovered", "info", true, "the audit log is writable again"},
  {"audit_anchor", "info", false, "a signed anchor of the audit log, at most one in ten minutes; keep it on another host"},
  {"audit_anchors_file", "warning", true, "an anchor could not be written to `audit.anchors_file`"},
  {"audit_anchor_failed", "error", true, "no anchor could be signed"},
  {"audit_dropped_early", "error", true, "old segments of the audit log were deleted before `audit.keep`, because of `audit.max_bytes`"},
  {"clock_jumped", "warning", true, "the wall clock was set; for some hours no audit record is deleted for its age"},
  {"audit_retention_failed", "warning", true, "old segments of the audit log could not be removed"},
});
// clang-format on

constexpr bool is_rate_limited(std::string_view event) {
  const auto* const found = std::find_if(kLogEvents.begin(), kLogEvents.end(),
                                         [&](const LogEvent& row) { return row.id == event; });
  return found != kLogEvents.end() && found->rate_limited;
}

}  // namespace claimsd
