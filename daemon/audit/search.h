// search.h: finds records in a directory of segments, without a daemon. What a query asks by user
// or token is found by the segments' indexes: only what matches is read.
//
// One thread; blocks on the disk. LMDB trusts its files: on a copy of doubtful origin verify first.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "daemon/audit/record.h"
#include "daemon/audit/segment.h"

namespace claimsd::daemon {

struct AuditQuery {
  std::optional<WallTime> since;  // of its last event
  std::optional<WallTime> until;  // of its first, not included
  std::optional<std::string> user;
  std::optional<AuditFingerprint> token;
  std::optional<AuditEvent> event;
  std::optional<std::uint8_t> verdict;
  std::optional<std::uint32_t> uid;
  AuditSequence first = 1;

  bool matches(const AuditRecord& record) const;
};

struct AuditSearchStats {
  std::uint64_t read = 0;     // records that were looked at
  std::uint64_t matched = 0;  // of them
};

using AuditVisit = std::function<bool(const AuditRecord&)>;  // false: enough

// In the order of the log. Segments that a later one supersedes are read up to where it begins.
class AuditReader {
 public:
  // That no daemon writes to.
  static Result<AuditReader> open(const std::string& directory);

  Result<AuditSearchStats> search(const AuditQuery& query, const AuditVisit& visit) const;
  // The first sequence of the last `count` records.
  Result<AuditSequence> start_of_last(std::uint64_t count) const;

  const std::vector<AuditSegmentFile>& segments() const { return files_; }
  bool empty() const { return files_.empty(); }

 private:
  explicit AuditReader(std::vector<AuditSegmentFile> files) : files_(std::move(files)) {}
  AuditSequence end_of(std::size_t segment) const;
  std::vector<AuditSegmentFile> files_;
};

// One segment, up to `end` (not included); the daemon's own way in (AuditLog::read). False: enough.
bool search_segment(const AuditSegmentView& view, AuditSequence end, const AuditQuery& query,
                    AuditSearchStats& stats, const AuditVisit& visit);

// Whether a daemon writes here now: it holds the directory's lock.
bool audit_directory_is_live(const std::string& directory);

}  // namespace claimsd::daemon
