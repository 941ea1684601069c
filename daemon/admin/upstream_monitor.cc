#include "daemon/admin/upstream_monitor.h"

#include <fmt/core.h>

#include <array>

#include "daemon/admin/document_findings.h"
#include "daemon/admin/health.h"
#include "daemon/admin/status_json.h"

namespace claimsd::admin {
namespace {

// A long outage at full load must not fill the disk.
constexpr Duration kPauseBetweenLines = seconds(10);

}  // namespace

void UpstreamMonitor::request_completed(const claims::RequestReport& report) {
  UpstreamStatus& upstream = upstreams_.at(report.upstream);
  std::optional<BootTime>& last_line = last_lines_.at(report.upstream);
  ++upstream.requests;
  upstream.last_latency = report.took;
  upstream.last_reason = report.reason;
  if (report.server_certificate_end)
    upstream.server_certificate_end = report.server_certificate_end;
  upstream.calls.completed(report.reason, report.took);
  events_.add({.kind = EventKind::kRequestCompleted,
               .upstream = report.upstream,
               .reason = report.reason,
               .http_status = report.status,
               .took = report.took});
  if (proto::verdict_of(report.reason) == proto::Verdict::kUnavailable) {
    return failed(upstream, last_line, report);
  }
  if (report.document != nullptr) note_document(upstream, *report.document);
  if (upstream.consecutive_failures > 0) {
    log_.info("upstream_recovered", "{} answers again after {} failed requests", upstream.name,
              upstream.consecutive_failures);
  }
  upstream.consecutive_failures = 0;
  last_line.reset();
  if (report.reason == proto::Reason::kOk) note_caching(upstream, report);
}

void UpstreamMonitor::note_caching(UpstreamStatus& upstream, const claims::RequestReport& report) {
  if (!report.uncacheable) {
    upstream.consecutive_uncacheable = 0;
    return;
  }
  ++upstream.uncacheable;
  if (++upstream.consecutive_uncacheable != kUncacheableAfter) return;
  log_.warning("caching_forbidden",
               "{} forbids caching (no-store or no-cache): every lookup is a request. Have it send "
               "max-age, or set no_store_ttl",
               upstream.name);
}

void UpstreamMonitor::instances_disagree(claims::UpstreamId at) {
  log_.warning("upstream_disagrees",
               "{} rejected a token over an old connection and confirmed it over a new one: an "
               "instance that was replaced still answers. Its connections are dropped",
               upstreams_.at(at).name);
}

void UpstreamMonitor::failed(UpstreamStatus& upstream, std::optional<BootTime>& last_line,
                             const claims::RequestReport& report) {
  ++upstream.failures;
  ++upstream.consecutive_failures;
  upstream.last_failure = fmt::format("{}: {}", proto::name_of(report.reason), report.detail);
  if (report.reason == proto::Reason::kUpstreamBody ||
      report.reason == proto::Reason::kRolesUnknown) {
    ++upstream.documents.unusable;
    upstream.documents.unusable_detail = report.detail;
    upstream.documents.unusable_at = clock_.now().wall;
  }
  const BootTime now = clock_.now().boot;
  if (last_line && now - *last_line < kPauseBetweenLines) return;
  last_line = now;
  const std::string sentence = fmt::format(
      "{} ({}): {} ({} in a row): {}", upstream.name, upstream.url, upstream.last_failure,
      upstream.consecutive_failures, proto::sentence_of(report.reason));
  switch (report.reason) {
    case proto::Reason::kUpstreamCredentials:
      return write(LogLevel::kError, "upstream_credentials", sentence, upstream, report.trace_id);
    case proto::Reason::kUpstreamCertificate:
      return write(LogLevel::kError, "certificate_wanted", sentence, upstream, report.trace_id);
    default:
      return write(LogLevel::kWarning, "upstream_failed", sentence, upstream, report.trace_id);
  }
}

// Each kind is logged once, and then counted.
void UpstreamMonitor::note_document(UpstreamStatus& upstream,
                                    const claims::DocumentNotes& document) {
  DocumentStatus& documents = upstream.documents;
  ++documents.seen;
  if (document.truncated && ++documents.truncated == 1)
    log_.warning(
        "claims_truncated",
        "a user's claims from {0} are too large and truncated to id, email and roles: raise "
        "upstream.{0}.max_claims_bytes",
        upstream.name);
  if (document.odd_email && ++documents.odd_emails == 1)
    log_.warning("email_claim_odd",
                 "the email claim from {0} is no email address, so users have none: check "
                 "upstream.{0}.email_claim",
                 upstream.name);
  for (std::size_t number = 0; number < documents.role_claims.size(); ++number) {
    if ((document.role_claims_found >> number & 1) != 0) ++documents.role_claims[number].found;
    if (documents.seen != kDocumentsUntilMissing || !is_role_claim_missing(upstream, number))
      continue;
    log_.warning("role_claim_missing",
                 "none of {0} claims documents from {1} had the role claim \"{2}\": run claimsctl "
                 "test-upstream {1}, and check upstream.{1}.role_claims",
                 documents.seen, upstream.name, documents.role_claims[number].name);
  }
}

void UpstreamMonitor::deadline_passed(claims::UpstreamId at, std::string_view trace_id) {
  const UpstreamStatus& upstream = upstreams_.at(at);
  if (trace_id.empty())
    return;  // without a trace id the query cannot be identified; the counter has it
  write(LogLevel::kInfo, "deadline_passed",
        fmt::format("a query to {} was not answered before its timeout", upstream.name), upstream,
        trace_id);
}

void UpstreamMonitor::certificates_changed(const upstream::CredentialReport& report) {
  UpstreamStatus& upstream = upstreams_.at(report.upstream);
  CertificateStatus& certificates = upstream.certificates;
  certificates.error = report.error;
  certificates.client_end = report.certificate_end;
  const bool has_ended = report.certificate_end && *report.certificate_end <= clock_.now().wall;
  const std::string ends =
      report.certificate_end
          ? fmt::format("; the client certificate expires at {}", rfc3339(*report.certificate_end))
          : std::string();
  if (!report.error.empty()) {
    ++certificates.refused;
    log_.warning("certificates_refused", "{} keeps its previous certificates: {}", upstream.name,
                 report.error);
  } else if (!report.is_first) {
    ++certificates.reloaded;
    log_.info("certificates_reloaded", "{} uses its new certificates{}", upstream.name, ends);
  }
  if (has_ended)
    log_.warning("certificate_ended", "{} is still requested with an expired certificate{}",
                 upstream.name, ends);
}

void UpstreamMonitor::write(LogLevel level, std::string_view event, std::string_view sentence,
                            const UpstreamStatus& upstream, std::string_view trace_id) {
  const std::array<LogField, 2> fields = {LogField{"upstream", upstream.name},
                                          LogField{"trace_id", trace_id}};
  log_.write(level, event, sentence, LogFields(fields).first(trace_id.empty() ? 1 : 2));
}

}  // namespace claimsd::admin
