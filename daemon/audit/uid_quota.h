// uid_quota.h: how many bytes of records each uid may cause per day, and the count of the reports
// beyond that. Without it one worker could fill the log within a day, and retention by size would
// delete the oldest records of everyone. Pure; not thread-safe: owned by Intake.
//
// A day is 24 h of the boot clock from the uid's first record, so setting the wall clock does not
// begin a new one. Memory: one entry per uid with a record in the last day.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "daemon/audit/record.h"

namespace claimsd::audit {

class UidQuota {
 public:
  // At most one summary per uid in this time, so that summaries do not fill the log either.
  static constexpr Duration kSummaryInterval = std::chrono::minutes(10);

  // 0: no limit.
  explicit UidQuota(std::uint64_t bytes_per_day) : bytes_per_day_(bytes_per_day) {}

  bool is_used_up(std::uint32_t uid, BootTime now);
  // `encoded`: the size of the record. Adds what its indexes and the pages' waste take.
  void spend(const Record& record, std::size_t encoded, BootTime now);
  // Counts a report that is not written.
  void count(const Record& report);
  // The counts since the last summary, one `over_quota` record per uid. `all`: including those for
  // which it is too early.
  std::vector<Record> take_summaries(BootTime now, bool all);

  // All reports counted since start.
  std::uint64_t counted() const { return counted_; }

 private:
  struct Use {
    BootTime since{};  // start of its day
    std::uint64_t bytes = 0;
    BootTime summarized = BootTime::min();
    Record summary;  // count 0: nothing to summarize
  };

  Use& use_of(std::uint32_t uid, BootTime now);

  std::uint64_t bytes_per_day_;
  std::unordered_map<std::uint32_t, Use> uids_;
  std::uint64_t counted_ = 0;
};

}  // namespace claimsd::audit
