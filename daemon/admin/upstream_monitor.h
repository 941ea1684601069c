// upstream_monitor.h: tracks the state of each Auth API for status and events, and logs changes.
// Implements the service's Observer. Owned by the composition root; loop thread.
//
// An outage logs one line at its start, one every few seconds while it lasts, and one at its end.
#pragma once

#include <optional>
#include <vector>

#include "daemon/admin/event_feed.h"
#include "daemon/admin/status.h"
#include "daemon/claims/ports.h"
#include "daemon/log/log.h"
#include "daemon/upstream/credential_watch.h"

namespace claimsd::admin {

class UpstreamMonitor final : public claims::Observer {
 public:
  // One row per UpstreamId, with name, URL and is_default set.
  UpstreamMonitor(std::vector<UpstreamStatus> upstreams, const Clock& clock, EventFeed& events,
                  Log& log)
      : upstreams_(std::move(upstreams)),
        last_lines_(upstreams_.size()),
        clock_(clock),
        events_(events),
        log_(log) {}

  void request_completed(const claims::RequestReport& report) override;
  void breaker_changed(claims::UpstreamId upstream, claims::BreakerState now) override {
    events_.add({.kind = EventKind::kBreakerChanged, .upstream = upstream, .breaker = now});
  }
  void instances_disagree(claims::UpstreamId upstream) override;
  void deadline_passed(claims::UpstreamId upstream, std::string_view trace_id) override;
  // Reports from the fetch thread, delivered on the loop thread.
  void certificates_changed(const upstream::CredentialReport& report);
  const std::vector<UpstreamStatus>& upstreams() const { return upstreams_; }

 private:
  void note_document(UpstreamStatus& upstream, const claims::DocumentNotes& document);
  void write(LogLevel level, std::string_view event, std::string_view sentence,
             const UpstreamStatus& upstream, std::string_view trace_id);
  void note_caching(UpstreamStatus& upstream, const claims::RequestReport& report);
  void failed(UpstreamStatus& upstream, std::optional<BootTime>& last_line,
              const claims::RequestReport& report);

  std::vector<UpstreamStatus> upstreams_;
  std::vector<std::optional<BootTime>> last_lines_;  // when each one's outage was last logged
  const Clock& clock_;
  EventFeed& events_;
  Log& log_;
};

}  // namespace claimsd::admin
