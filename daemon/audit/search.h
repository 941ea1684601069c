// search.h: finds records in a directory of segments, without a daemon. Queries by user or token
// use the segments' indexes and read only matching records.
//
// One thread; blocks on the disk. LMDB trusts its files: verify a copy of doubtful origin first.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "daemon/audit/record.h"
#include "daemon/audit/segment.h"

namespace claimsd::audit {

struct SearchFilter {
  std::optional<WallTime> since;  // the last event is at or after this
  std::optional<WallTime> until;  // the first event is before this
  std::optional<std::string> user;
  std::optional<Fingerprint> token;
  std::optional<Event> event;
  std::optional<std::uint8_t> verdict;
  std::optional<std::uint32_t> uid;
  Sequence first = 1;

  bool matches(const Record& record) const;
};

struct SearchStats {
  std::uint64_t read = 0;     // records read
  std::uint64_t matched = 0;  // records that matched
};

using Visit = std::function<bool(const Record&)>;  // return false to stop

// Visits records in log order. A segment is read only up to where a later one supersedes it.
class Reader {
 public:
  // No daemon may be writing to the directory.
  static Result<Reader> open(const std::string& directory);

  Result<SearchStats> search(const SearchFilter& query, const Visit& visit) const;
  // The first sequence of the last `count` records.
  Result<Sequence> start_of_last(std::uint64_t count) const;

  const std::vector<SegmentFile>& segments() const { return files_; }
  bool empty() const { return files_.empty(); }

 private:
  explicit Reader(std::vector<SegmentFile> files) : files_(std::move(files)) {}
  Sequence end_of(std::size_t segment) const;
  std::vector<SegmentFile> files_;
};

// Searches one segment up to `end`, exclusive. Used by the daemon through AuditLog::read. Returns
// false if `visit` stopped the search.
bool search_segment(const SegmentView& view, Sequence end, const SearchFilter& query,
                    SearchStats& stats, const Visit& visit);

// Whether a daemon is writing to the directory: it then holds the lock.
bool audit_directory_is_live(const std::string& directory);

}  // namespace claimsd::audit
