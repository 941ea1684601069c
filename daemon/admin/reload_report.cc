#include "daemon/admin/reload_report.h"

#include <fmt/core.h>

namespace claimsd::daemon {

void report_reload(const ReloadResult& result, std::optional<std::uint32_t> by,
                   const std::string& who, const std::string& file, Log& log,
                   AuditRecorder* audit) {
  if (result.outcome != ReloadOutcome::kDone) {
    return log.warning("reload_refused", "reload by {} failed, nothing has changed: {}", who,
                       result.message);
  }
  for (const Change& change : result.changes) {
    const std::string text = fmt::format("{}: {} -> {}", change.option, change.from, change.to);
    log.info("option_changed", "{}", text);
    if (audit == nullptr) continue;
    audit->note(
        {.event = AuditEvent::kConfigured, .uid = by, .detail = fmt::format("{} ({})", text, who)});
  }
  log.info("reloaded", "{} reloaded {}: {} options changed", who, file, result.changes.size());
}

}  // namespace claimsd::daemon
