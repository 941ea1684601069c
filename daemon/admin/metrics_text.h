// metrics_text.h: a status as Prometheus text exposition, format 0.0.4. Pure; any thread.
//
// Counters come from the table in daemon/claims/counters.h, gauges and per-upstream series from the
// tables in metrics_text.cc. The only label is `upstream`, whose values are the operator's: no
// client can make a series.
#pragma once

#include <string>

#include "daemon/admin/status.h"

namespace claimsd::daemon {

inline constexpr char kMetricsContentType[] = "text/plain; version=0.0.4; charset=utf-8";

std::string metrics_text(const DaemonStatus& status);

}  // namespace claimsd::daemon
