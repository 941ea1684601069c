// outage_folds.h: folds repeated outage records. An outage makes each lookup a record of the same
// cause, which would fill the log and, with a limit of its size, evict the oldest records.
//
// Of one cause (event, reason, peer's uid and gid, upstream) the first event in each second becomes
// a record of its own, which is durable before its answer. The others in that second are counted, and
// written as one "various" record when the second is over: their answers do not wait, because they
// grant nothing. A crash loses the counts of at most that second and the commit after it.
//
// Pure; not thread-safe: owned by Intake. Memory: one entry per cause of the last second.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/audit/record.h"

namespace claimsd::audit {

class OutageFolds {
 public:
  static constexpr Duration kPeriod = seconds(1);

  // For events without a verdict because of an outage.
  static bool applies_to(Event event) {
    return event == Event::kUnavailable || event == Event::kReportedUnavailable;
  }

  // Whether the event was counted. If not, it is the first of its cause in this second, and the
  // caller records it. `cause`: equal for events that may be folded together.
  bool count(const Record& record, const std::string& cause, BootTime now);

  // The counts of seconds that are over, or of all.
  std::vector<Record> take_summaries(BootTime now, bool all);

 private:
  struct Fold {
    BootTime since{};
    std::optional<Record> summary;  // none: nothing to write
  };
  std::unordered_map<std::string, Fold> folds_;
};

}  // namespace claimsd::audit
