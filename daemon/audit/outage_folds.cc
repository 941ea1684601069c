#include "daemon/audit/outage_folds.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace claimsd::audit {
namespace {

Record empty_summary(const Record& first) {
  Record record;
  record.event = first.event;
  record.verdict = first.verdict;
  record.reason = first.reason;
  record.at = first.at;
  record.last = first.at.wall;
  record.count = 0;
  record.peer.uid = first.peer.uid;
  record.peer.gid = first.peer.gid;
  record.upstream = first.upstream;
  record.various = true;
  return record;
}

}  // namespace

bool OutageFolds::count(const Record& record, const std::string& cause, BootTime now) {
  const auto [found, is_new] = folds_.try_emplace(cause);
  Fold& fold = found->second;
  // A summary that is not taken yet belongs to an earlier second, but to the same cause.
  if (is_new || (now - fold.since >= kPeriod && fold.summary.count == 0)) {
    fold = {.since = now, .summary = empty_summary(record)};
    return false;
  }
  if (fold.summary.count == 0) fold.summary = empty_summary(record);
  fold.summary.count += record.count;
  fold.summary.at.wall = std::min(fold.summary.at.wall, record.at.wall);
  fold.summary.at.boot = std::min(fold.summary.at.boot, record.at.boot);
  fold.summary.last = std::max({fold.summary.last, record.last, record.at.wall});
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
    if (fold.summary.count > 0) due.push_back(std::move(fold.summary));
    at = folds_.erase(at);
  }
  return due;
}

}  // namespace claimsd::audit
