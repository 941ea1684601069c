#include "daemon/admin/health.h"

#include <fmt/core.h>

#include <algorithm>

#include "daemon/admin/status_json.h"

namespace claimsd::admin {
namespace {

Finding failing(const UpstreamStatus& upstream) {
  return {"upstream_failing",
          fmt::format("the Auth API \"{}\" ({}) failed {} times in a row, the last time with: {}",
                      upstream.name, upstream.url, upstream.consecutive_failures,
                      upstream.last_failure.empty() ? "no reason given" : upstream.last_failure),
          "known tokens are still answered; check the Auth API, its URL, DNS, certificate and the "
          "network between"};
}

std::string_view effect_on_unrecorded(const AuditStatus& audit) {
  return audit.denies ? "withheld" : "given without one";
}

void assess_audit(const AuditStatus& audit, std::vector<Finding>& findings) {
  switch (audit.log.state) {
    case audit::State::kOff: return;
    case audit::State::kDiskFull:
      findings.push_back({"audit_disk_full",
                          fmt::format("the audit log in {} takes no records, since its disk is "
                                      "full: answers that need one are {}",
                                      audit.directory, effect_on_unrecorded(audit)),
                          "make room on that disk; it goes on within seconds, without a restart. "
                          "audit.max_bytes and audit.keep say how much is kept"});
      return;
    case audit::State::kReopening:
      findings.push_back(
          {"audit_not_writable",
           fmt::format("the audit log in {} could not be written and is not trusted "
                       "until it was read again: answers that need a record are {}",
                       audit.directory, effect_on_unrecorded(audit)),
           "it tries again every second; if this stays, see the daemon's log and the "
           "kernel's for what is wrong with the disk"});
      return;
    case audit::State::kWritable: break;
  }
  if (!audit.log.overflowed || *audit.log.overflowed >= kOverflowMatters) return;
  findings.push_back({"audit_overflowed",
                      fmt::format("more waited for the audit log than it has room for: in the last "
                                  "minute answers were {}",
                                  effect_on_unrecorded(audit)),
                      "claimsctl top shows who asks so much; is the disk slow? Or raise "
                      "audit.max_records and audit.max_waiting"});
}

void assess_certificates(const UpstreamStatus& upstream, WallTime now,
                         std::vector<Finding>& findings) {
  const CertificateStatus& certificates = upstream.certificates;
  if (!certificates.error.empty()) {
    findings.push_back({"certificates_refused",
                        fmt::format("changed certificates cannot be used, and those of before are "
                                    "still in effect: {}",
                                    certificates.error),
                        "mend the file: it is read again within two seconds"});
  }
  if (certificates.client_end && *certificates.client_end <= now) {
    findings.push_back(
        {"certificate_ended",
         fmt::format("the client certificate for the Auth API \"{}\" has ended at {}",
                     upstream.name, rfc3339(*certificates.client_end)),
         "put a new one, and its key, into the files of its client_certificate and "
         "client_key: they are read again by themselves"});
  }
}

bool full(std::uint64_t used, std::uint64_t capacity) {
  return capacity != 0 && used >= capacity;
}

void assess_queues(const DaemonStatus& status, std::vector<Finding>& findings) {
  if (full(status.waiting, status.max_waiting)) {
    findings.push_back(
        {"waiting_full",
         fmt::format("all {} places for questions that wait are taken: more of them are answered "
                     "with overloaded",
                     status.max_waiting),
         "claimsctl top shows who asks so much, and how slow the Auth API is; or raise "
         "limits.max_waiters"});
  }
  for (const auto& upstream : status.upstreams) {
    if (!full(upstream.pending, upstream.max_pending)) continue;
    findings.push_back(
        {"pending_full",
         fmt::format("{} requests to the Auth API \"{}\" wait for their turn, and no more may: "
                     "unknown tokens are answered with overloaded",
                     upstream.pending, upstream.name),
         "is the Auth API slow (claimsctl top)? Or raise limits.max_in_flight and "
         "limits.max_pending"});
  }
}

void assess_cache(const DaemonStatus& status, std::vector<Finding>& findings) {
  if (status.cache_error && *status.cache_error < kCacheErrorMatters) {
    findings.push_back(
        {"cache_failing",
         fmt::format("the claims cache in {} could not be read or written in the last minute ({} "
                     "times since the start): what is not kept is asked for again",
                     status.cache_directory, status.cache_failures),
         "look at that file system (df, dmesg); the cache goes on by itself, see the daemon's "
         "log"});
  }
  if (status.leases.wanted && status.leases.slots == 0) {
    findings.push_back(
        {"map_off",
         "there is no shared map: every question comes over the socket, which costs a worker some "
         "10 µs instead of less than one",
         "the daemon's log says why (shared_memory_off), mostly too little memory for "
         "cache.map_slots; restart it then, or set daemon.shared_memory = false"});
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
    findings.push_back({"stopping", "the daemon is stopping and takes no new questions",
                        "wait for it to come back; if it does not, see its log", true});
  }
  if (full(status.connections, status.max_connections)) {
    findings.push_back({"connections_full",
                        fmt::format("all {} connections are taken: new clients are turned away",
                                    status.max_connections),
                        "find the client that keeps so many open, or raise max_connections", true});
  }
  if (full(status.revocations, status.max_revocations)) {
    findings.push_back({"revocations_full",
                        fmt::format("all {} places for revocations are taken: another one is "
                                    "refused",
                                    status.max_revocations),
                        "raise revocations.max_entries"});
  }
  assess_audit(status.audit, findings);
  assess_queues(status, findings);
  assess_cache(status, findings);
  for (const auto& upstream : status.upstreams) {
    if (upstream_state(upstream) == "failing") findings.push_back(failing(upstream));
    assess_certificates(upstream, status.now, findings);
  }
  return findings;
}

}  // namespace claimsd::admin
