// audit_store.h: the log on disk: the segment that is written to, those before it, and what happens
// when one is full, old or in trouble.
//
// After a failed commit nobody knows what reached the disk, and the page cache would tell lies
// about it (fsync(2), "EIO"): the file is never written to again. recover() checks that everything
// that was acknowledged can be read, and goes on in a new segment right after the last acknowledged
// record; what the failed commit may have left behind it in the old file is superseded.
//
// One thread; blocks on the disk. Nothing here looks the time up.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/audit/record.h"
#include "daemon/audit/retention.h"
#include "daemon/audit/segment.h"

namespace claimsd::daemon {

struct AuditStoreOptions {
  std::string directory;  // there, private, and locked by the caller
  std::string origin;     // of a new log: names the host, without spaces
  std::size_t segment_bytes = std::size_t{64} << 20;
  AuditRetention retention;
};

class AuditStore {
 public:
  // Verifies the newest segment. One that cannot be opened at all is an error: what is in it
  // decides how the chain goes on. One that opens and does not verify is left as it is, and
  // `damaged_at` says where.
  static Result<AuditStore> open(const AuditStoreOptions& options, WallTime now);

  // Gives the records their sequence numbers and writes all of them in one durable transaction.
  // Never kSegmentFull.
  AuditAppended append(std::span<AuditRecord> records, WallTime now);

  // False after kFailed, until recover() has worked.
  bool trusted() const { return segment_.has_value(); }
  Status recover(WallTime now);

  // Drops what retention no longer wants: first a record that says so, then the files.
  AuditAppended retain(WallTime now);

  const AuditHead& head() const { return head_; }
  const std::string& origin() const { return origin_; }
  // The segment that is written to.
  const AuditSegmentIdentity& newest() const { return newest_; }
  std::optional<AuditSequence> damaged_at() const { return damaged_at_; }
  // The last record of the run before is not that of a stop.
  bool ended_badly() const { return ended_badly_; }
  const std::vector<AuditSegmentInfo>& segments() const { return segments_; }
  std::uint64_t bytes() const;

  // Each segment in order, the newest included, until `visit` returns false. Between commits.
  Status each_segment(const std::function<bool(const AuditSegmentView&)>& visit) const;

 private:
  AuditStore(const AuditStoreOptions& options, AuditHasher hasher)
      : options_(options), origin_(options.origin), hasher_(std::move(hasher)) {}

  Status open_newest(WallTime now);
  Status begin_segment(WallTime now);
  void roll_if_due(WallTime now);
  AuditAppended append_here(std::span<AuditRecord> records);
  void remove_dropped();
  std::size_t map_size() const;

  AuditStoreOptions options_;
  std::string origin_;
  AuditHasher hasher_;
  std::optional<AuditSegment> segment_;
  std::vector<AuditSegmentInfo> segments_;  // the newest last
  AuditSegmentIdentity newest_;
  AuditHead head_;  // what was acknowledged
  std::optional<AuditSequence> damaged_at_;
  bool ended_badly_ = false;
};

// The first sequence from the segment's start that does not follow from the one before, at most
// `last`; nothing when all do and `last` is reached with `link`.
std::optional<AuditSequence> first_broken(const AuditSegmentView& view, AuditHasher& hasher,
                                          AuditSequence last, const AuditLink& link);

}  // namespace claimsd::daemon
