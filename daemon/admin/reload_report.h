// reload_report.h: reports a reload to the log and the audit log: one line and one record per
// change. Values hidden in the configuration's listing are hidden here as well. Loop thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/audit/recorder.h"
#include "daemon/config/changes.h"
#include "daemon/log/log.h"

namespace claimsd::admin {

// `by`: the uid that requested it (none: a signal); `who`: its name; `audit`: null if none is kept.
void report_reload(const config::ReloadResult& result, std::optional<std::uint32_t> by,
                   const std::string& who, const std::string& file, Log& log,
                   audit::Recorder* audit);

}  // namespace claimsd::admin
