#include "daemon/audit/outage_folds.h"

#include <utility>

namespace claimsd::audit {
bool OutageFolds::count(const Record& record, const std::string& cause, BootTime now) {
  const auto [found, is_new] = folds_.try_emplace(cause);
  Fold& fold = found->second;
  // A summary that is not taken yet belongs to an earlier second, but to the same cause.
  if (is_new || (now - fold.since >= kPeriod && !fold.summary)) {
    fold = {.since = now};
    return false;
  }
  if (fold.summary) {
    absorb(*fold.summary, record);
  } else {
    fold.summary = various(record);
  }
  return true;
}

std::vector<Record> OutageFolds::take_summaries(BootTime now, bool all) {
  std::vector<Record> due;
  for (auto at = folds_.begin(); at != folds_.end();) {
    Fold& fold = at->second;
    const bool over = now - fold.since >= kPeriod;
    if (!over && !all) {
      ++at;
      continue;
    }
    if (fold.summary) due.push_back(std::move(*fold.summary));
    at = folds_.erase(at);
  }
  return due;
}

}  // namespace claimsd::audit
