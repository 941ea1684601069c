#include "daemon/audit/uid_quota.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace claimsd::audit {
namespace {

constexpr Duration kDay = std::chrono::hours(24);
constexpr std::size_t kPerRecord = 64;  // key, link and node in the table of records
constexpr std::size_t kPerIndex = 24;   // key and node in an index, without the user or token

}  // namespace

UidQuota::Use& UidQuota::use_of(std::uint32_t uid, BootTime now) {
  Use& use = uids_.try_emplace(uid).first->second;
  if (use.bytes == 0 || now - use.since >= kDay) {
    use.since = now;
    use.bytes = 0;
  }
  return use;
}

bool UidQuota::is_used_up(std::uint32_t uid, BootTime now) {
  if (bytes_per_day_ == 0) return false;
  const auto found = uids_.find(uid);
  return found != uids_.end() && found->second.bytes >= bytes_per_day_ &&
         now - found->second.since < kDay;
}

void UidQuota::spend(const Record& record, std::size_t encoded, BootTime now) {
  if (bytes_per_day_ == 0) return;
  std::size_t bytes = kPerRecord + encoded;
  if (!record.user.empty()) bytes += kPerIndex + std::min(record.user.size(), kMaxAuditUser);
  if (record.token) bytes += kPerIndex + record.token->size();
  // Pages are three quarters full on average.
  use_of(record.peer.uid, now).bytes += bytes + bytes / 3;
}

void UidQuota::count(const Record& report) {
  counted_ += report.count;
  Record& summary = uids_[report.peer.uid].summary;
  if (summary.event != Event::kOverQuota) {
    summary = Record{};
    summary.event = Event::kOverQuota;
    summary.count = 0;
    summary.at = report.at;
    summary.peer.uid = report.peer.uid;
    summary.peer.gid = report.peer.gid;
  }
  summary.count += report.count;
  summary.last = std::max({summary.last, report.last, report.at.wall});
}

std::vector<Record> UidQuota::take_summaries(BootTime now, bool all) {
  std::vector<Record> due;
  for (auto of_uid = uids_.begin(); of_uid != uids_.end();) {
    Use& use = of_uid->second;
    const bool waiting = use.summary.event == Event::kOverQuota;
    const bool early = use.summarized != BootTime::min() && now - use.summarized < kSummaryInterval;
    if (waiting && (all || !early)) {
      due.push_back(std::exchange(use.summary, Record{}));
      use.summarized = now;
    }
    const bool unused = !waiting && !early && now - use.since >= kDay;
    of_uid = unused ? uids_.erase(of_uid) : std::next(of_uid);
  }
  return due;
}

}  // namespace claimsd::audit
