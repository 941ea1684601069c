// reload_report.h: what became of a reload, for the log and the audit log: one line, and one
// record, a change. What is hidden in the configuration's listing is hidden here, too. Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/audit/recorder.h"
#include "daemon/config/changes.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

// `by` asked for it (none: a signal), who is called `who`; `audit`: null where none is kept.
void report_reload(const ReloadResult& result, std::optional<std::uint32_t> by,
                   const std::string& who, const std::string& file, Log& log, AuditRecorder* audit);

}  // namespace claimsd::daemon
