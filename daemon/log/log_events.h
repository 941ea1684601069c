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
  {"started", "info", false, "the daemon answers"},
  {"stopping", "info", false, "it was told to stop, and answers what is open"},
  {"stopped", "info", false, "it has stopped; how much it did"},
  {"stop_forced", "warning", false, "it stopped with questions open, when `daemon.stop_timeout` had passed"},
  {"start_failed", "error", false, "it could not start, and why"},
  {"unclean_stop", "warning", false, "the daemon before this one was killed"},
  {"syscall_filter_off", "warning", false, "it runs without its filter of system calls"},
  {"unhealthy", "error", false, "something that only a restart mends: the watchdog is not fed"},
  {"shared_memory_off", "warning", false, "there is no shared map: every question comes over the socket"},
  {"reloaded", "info", false, "the configuration was read again and is in effect"},
  {"option_changed", "info", false, "what a reload changed: old and new value"},
  {"reload_refused", "warning", false, "a reload changed nothing, and why"},
  {"log_level", "info", false, "an operator set how much is logged"},
  {"purged", "info", false, "an operator's purge is in effect"},
  {"revoked", "info", false, "an operator's revocation is in effect"},
  {"suppressed", "warning", false, "so many lines of one event came at once that some were left out"},
  {"upstream_failed", "warning", true, "a request to an Auth API failed; one line in ten seconds while that lasts"},
  {"upstream_recovered", "info", true, "an Auth API answers again"},
  {"certificates_reloaded", "info", false, "changed certificate files of an Auth API are in effect"},
  {"certificates_refused", "warning", true, "changed certificate files cannot be used; those of before are in effect"},
  {"certificate_ended", "warning", true, "the client certificate in effect has ended"},
  {"deadline_passed", "info", true, "a question that carries a trace id was not answered in its time"},
  {"accept_failed", "error", true, "a worker's connection could not be taken"},
  {"peer_unknown", "warning", true, "the kernel did not say who connected"},
  {"peer_refused", "warning", true, "somebody connected who may not, or has too many connections"},
  {"peer_cut_off", "info", true, "a connection was closed since its user may not ask any more"},
  {"peer_timed_out", "warning", true, "a connection was closed: no hello, or answers not read"},
  {"slow_reader", "warning", true, "a connection was closed: too many answers waited to be read"},
  {"fetch_poll", "error", true, "a socket to an Auth API could not be watched"},
  {"fetch_multi", "error", true, "libcurl failed"},
  {"cache_kept", "info", false, "what an earlier daemon had cached is still there"},
  {"cache_empty", "info", false, "the cache starts empty, and why"},
  {"cache_failed", "error", true, "the cache's file could not be read or written"},
  {"cache_dropped", "error", true, "the cache was dropped, since it could not be trusted"},
  {"cache_closed", "error", true, "the cache could not be begun anew: nothing is kept"},
  {"cache_reopened", "warning", true, "the cache was begun anew"},
  {"cache_tampered", "warning", true, "an entry of the cache is not what this daemon wrote"},
  {"revocation_not_durable", "error", true, "a revocation is in effect, but not on disk"},
  {"revocations_not_dropped", "warning", true, "revocations that have ended could not be removed from disk"},
  {"audit_damaged", "error", false, "the audit log is not what was written"},
  {"audit_cut", "error", false, "the end of the audit log is missing"},
  {"audit_failed", "error", true, "the audit log cannot be written"},
  {"audit_recovered", "info", true, "the audit log goes on"},
  {"audit_anchor", "info", false, "a signed anchor of the audit log, to be kept elsewhere"},
  {"audit_anchors_file", "warning", true, "an anchor could not be written to `audit.anchors_file`"},
  {"audit_anchor_failed", "error", true, "no anchor could be made"},
  {"audit_retention_failed", "warning", true, "old segments of the audit log could not be removed"},
});
// clang-format on

constexpr bool is_rate_limited(std::string_view event) {
  const auto* const found = std::find_if(kLogEvents.begin(), kLogEvents.end(),
                                         [&](const LogEvent& row) { return row.id == event; });
  return found != kLogEvents.end() && found->rate_limited;
}

}  // namespace claimsd
