#include "daemon/admin/health.h"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/admin/document_findings.h"
#include "daemon/admin/fleet_findings.h"
#include "daemon/admin/status_json.h"

namespace claimsd::admin {
namespace {

std::int64_t seconds_of(Duration time) {
  return std::chrono::ceil<seconds>(time).count();
}

Finding failing(const UpstreamStatus& upstream, Duration longest_answer) {
  return {"upstream_failing",
          fmt::format(
              "the last {2} requests to the Auth API \"{0}\" ({1}) failed, most recently with: {3}",
              upstream.name, upstream.url, upstream.consecutive_failures,
              upstream.last_failure.empty() ? "no reason given" : upstream.last_failure),
          fmt::format("cached answers end within {} s, new tokens get 503; check the Auth API, its "
                      "URL, DNS, certificate and the network path to it, then: claimsctl retry",
                      seconds_of(longest_answer))};
}

// Failures that only a change of the configuration ends, and confirmations that are not cached.
void assess_configuration(const UpstreamStatus& upstream, std::vector<Finding>& findings) {
  if (upstream.last_reason == proto::Reason::kUpstreamCredentials) {
    findings.push_back(
        {"upstream_credentials",
         fmt::format("the Auth API \"{}\" rejects the daemon's own credentials: every new token is "
                     "answered unavailable",
                     upstream.name),
         "check client_id, client_auth and the file client_secret_file, which is read again within "
         "two seconds; ask the Auth API's operator whether the client may introspect"});
  }
  if (upstream.last_reason == proto::Reason::kUpstreamCertificate) {
    findings.push_back({"certificate_wanted",
                        fmt::format("the Auth API \"{}\" requires a client certificate and none is "
                                    "configured: every new token is answered unavailable",
                                    upstream.name),
                        "set client_certificate and client_key, and restart claimsd"});
  }
  if (upstream.consecutive_uncacheable >= kUncacheableAfter) {
    findings.push_back(
        {"caching_forbidden",
         fmt::format(
             "the Auth API \"{}\" forbids caching (no-store or no-cache): every lookup is a "
             "request, claimsd cannot help",
             upstream.name),
         "have the Auth API send max-age, or, if its answers may be kept for some seconds, set "
         "no_store_ttl"});
  }
}

std::string_view effect_on_unrecorded(const AuditStatus& audit) {
  return audit.denies ? "withheld" : "sent without one";
}

void assess_retention(const AuditStatus& audit, std::vector<Finding>& findings) {
  if (audit.max_bytes > 0 && static_cast<double>(audit.log.bytes) >=
                                 kAuditNearlyFull * static_cast<double>(audit.max_bytes)) {
    findings.push_back(
        {"audit_nearly_full",
         fmt::format(
             "the audit log in {} has {:.0f} % of audit.max_bytes: its oldest records are "
             "deleted next, even if they are younger than audit.keep",
             audit.directory,
             100.0 * static_cast<double>(audit.log.bytes) / static_cast<double>(audit.max_bytes)),
         "find who fills the log with claimsctl audit report; raise audit.max_bytes and restart "
         "claimsd"});
  }
  const auto lately = [](const std::optional<Duration>& since) {
    return since && *since < kAuditLossMatters;
  };
  if (lately(audit.log.dropped_early)) {
    findings.push_back(
        {"audit_dropped_early",
         fmt::format(
             "in the last 24 hours the audit log in {} deleted records that are younger than "
             "audit.keep, because it reached audit.max_bytes ({} segments since the start)",
             audit.directory, audit.log.counters.audit_dropped_early),
         "find who fills the log with claimsctl audit report; free disk space, raise "
         "audit.max_bytes and restart claimsd"});
  }
  if (lately(audit.log.clock_jumped)) {
    findings.push_back(
        {"clock_jumped",
         "the wall clock of this host was set in the last 24 hours: the audit log "
         "deletes no record for its age until the clock has been steady for 6 hours",
         "check the time synchronization (timedatectl); times of audit records around "
         "the jump may be wrong"});
  }
}

void assess_audit(const AuditStatus& audit, std::vector<Finding>& findings) {
  switch (audit.log.state) {
    case audit::State::kOff: return;
    case audit::State::kDiskFull:
      findings.push_back(
          {"audit_disk_full",
           fmt::format("the disk of the audit log in {} is full: answers that need a record are {}",
                       audit.directory, effect_on_unrecorded(audit)),
           "free space on that disk, or lower audit.max_bytes or audit.keep and restart claimsd; "
           "once there is space, recording resumes within seconds"});
      return;
    case audit::State::kReopening:
      findings.push_back(
          {"audit_not_writable",
           fmt::format("the audit log in {} could not be written and must be verified before it is "
                       "used again: answers that need a record are {}",
                       audit.directory, effect_on_unrecorded(audit)),
           "the daemon retries every second; if this persists, check the disk: journalctl -u "
           "claimsd, dmesg"});
      return;
    case audit::State::kWritable: break;
  }
  if (!audit.log.overflowed || *audit.log.overflowed >= kOverflowMatters) return;
  findings.push_back(
      {"audit_overflowed",
       fmt::format("the queue of the audit log overflowed in the last minute: answers were {}",
                   effect_on_unrecorded(audit)),
       "find the uid with the most queries with claimsctl top, check that the disk is not slow, or "
       "raise audit.max_records and audit.max_waiting"});
}

void assess_certificates(const UpstreamStatus& upstream, WallTime now,
                         std::vector<Finding>& findings) {
  const CertificateStatus& certificates = upstream.certificates;
  if (!certificates.error.empty()) {
    findings.push_back(
        {"certificates_refused",
         fmt::format("changed certificate files are invalid, the previous ones stay in effect: {}",
                     certificates.error),
         "fix the file: it is read again within two seconds"});
  }
  if (certificates.client_end && *certificates.client_end <= now) {
    findings.push_back({"certificate_ended",
                        fmt::format("the client certificate for the Auth API \"{}\" expired at {}",
                                    upstream.name, rfc3339(*certificates.client_end)),
                        "write a new certificate and key to the files client_certificate and "
                        "client_key: they are reloaded automatically"});
  }
}

bool full(std::uint64_t used, std::uint64_t capacity) {
  return capacity != 0 && used >= capacity;
}

void assess_queues(const DaemonStatus& status, std::vector<Finding>& findings) {
  if (full(status.waiting, status.max_waiting)) {
    findings.push_back(
        {"waiting_full",
         fmt::format(
             "{} queries are waiting, the maximum: further ones are answered with overloaded",
             status.max_waiting),
         "find the uid with the most queries and the latency of the Auth API with claimsctl top, "
         "or raise limits.max_waiters"});
  }
  for (const auto& upstream : status.upstreams) {
    if (!full(upstream.pending, upstream.max_pending)) continue;
    findings.push_back({"pending_full",
                        fmt::format("{} requests to the Auth API \"{}\" are queued, the maximum: "
                                    "unknown tokens are answered with overloaded",
                                    upstream.pending, upstream.name),
                        "check the latency of the Auth API with claimsctl top, or raise "
                        "limits.max_in_flight and limits.max_pending"});
  }
}

// One user at its own limit. That of all users is assessed by the connections that are open.
void assess_connection_limits(const DaemonStatus& status, std::vector<Finding>& findings) {
  server::each_refusal(status.refusals, [&](std::string_view option, const server::Refusal& one) {
    const bool per_uid = option == "max_connections_per_uid";
    if (!per_uid && option != "connects_per_uid") return;
    if (one.count == 0 || status.now_boot - one.last >= kRefusalMatters) return;
    const std::uint64_t value = per_uid ? status.max_connections_per_uid : status.connects_per_uid;
    findings.push_back(
        {per_uid ? "connections_of_uid_full" : "connects_too_fast",
         per_uid
             ? fmt::format("uid {} has daemon.max_connections_per_uid = {} connections: further "
                           "ones are rejected ({} since the start)",
                           one.uid, value, one.count)
             : fmt::format("uid {} connects more often than daemon.connects_per_uid = {} times "
                           "a second: some are rejected ({} since the start)",
                           one.uid, value, one.count),
         fmt::format("find out with claimsctl top why it needs so many; or raise daemon.{}, then: "
                     "claimsctl reload",
                     option)});
  });
}

void assess_cache(const DaemonStatus& status, std::vector<Finding>& findings) {
  if (status.cache_error && *status.cache_error < kCacheErrorMatters) {
    findings.push_back(
        {"cache_failing",
         fmt::format("the claims cache in {} could not be read or written in the last minute ({} "
                     "times since the start): lost entries are requested again",
                     status.cache_directory, status.cache_failures),
         "check that file system (df, dmesg) and the daemon's log; the cache recovers "
         "automatically"});
  }
  if (status.cache_disk_full_ago && *status.cache_disk_full_ago < kCacheErrorMatters) {
    findings.push_back(
        {"cache_disk_full",
         fmt::format("the file system of the claims cache in {} is full: new entries replace "
                     "others, or are not cached and requested again",
                     status.cache_directory),
         "free space there (df); the cache recovers automatically"});
  }
  if (status.leases.wanted && status.leases.slots == 0) {
    findings.push_back(
        {"map_off",
         "there is no shared map: every query goes over the socket, which takes about 10 µs "
         "instead of less than 1 µs",
         "find the cause in the daemon's log (shared_memory_off), usually too little memory for "
         "cache.map_slots, and restart claimsd; or set daemon.shared_memory = false"});
  }
}

void assess_revocations(const DaemonStatus& status, std::vector<Finding>& findings) {
  const bool failed = !status.revocation_error.empty();
  if (status.unwritten_revocations > 0 &&
      (failed || status.unwritten_revocations_age >= kUnwrittenMatters)) {
    findings.push_back(
        {"revocations_not_durable",
         fmt::format("{} purges or revocations have been in effect for up to {} s, but are not on "
                     "disk: a restart would lose them; {}",
                     status.unwritten_revocations, seconds_of(status.unwritten_revocations_age),
                     failed ? status.revocation_error : "the disk has not answered yet"),
         fmt::format(
             "free space on the disk of {}, or repair it; do not restart claimsd: it writes "
             "them as soon as the disk allows",
             status.revocation_directory)});
  }
  if (full(status.stored_revocations, status.max_revocations)) {
    findings.push_back({"revocations_full",
                        fmt::format("{} revocations are stored, the maximum: further ones fail",
                                    status.max_revocations),
                        "raise revocations.max_entries and restart claimsd"});
  }
}

}  // namespace

std::string_view upstream_state(const UpstreamStatus& upstream) {
  if (upstream.consecutive_failures >= kFailingAfter) return "failing";
  return upstream.requests == 0 ? "unknown" : "ok";
}

std::vector<Finding> assess(const DaemonStatus& status) {
  std::vector<Finding> findings;
  if (status.stopping) {
    findings.push_back(
        {"stopping", "the daemon is stopping and accepts no new queries",
         "wait until it is back; if it does not come back, see journalctl -u claimsd", true});
  }
  for (const SocketStatus& one : status.sockets) {
    if (!one.lost) continue;
    findings.push_back(
        {"socket_lost",
         fmt::format("{} no longer leads to this daemon: its file was removed or replaced, and new "
                     "clients get no_daemon",
                     one.path),
         one.fix, true});
  }
  if (full(status.connections, status.max_connections)) {
    findings.push_back({"connections_full",
                        fmt::format("{} connections are open, the maximum: new ones are rejected",
                                    status.max_connections),
                        "find the client with the most connections with claimsctl top, or raise "
                        "daemon.max_connections, then: claimsctl reload",
                        true});
  }
  assess_fleet(status.fleet, findings);
  assess_revocations(status, findings);
  assess_audit(status.audit, findings);
  assess_retention(status.audit, findings);
  assess_queues(status, findings);
  assess_connection_limits(status, findings);
  assess_cache(status, findings);
  for (const auto& upstream : status.upstreams) {
    if (upstream_state(upstream) == "failing")
      findings.push_back(failing(upstream, status.longest_answer));
    assess_configuration(upstream, findings);
    assess_certificates(upstream, status.now, findings);
    assess_documents(upstream, status.now, findings);
  }
  return findings;
}

}  // namespace claimsd::admin
