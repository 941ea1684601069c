// audit_store.h: the log on disk: the active segment, the older ones, rotation, retention and
// recovery.
//
// After a failed commit it is unknown what reached the disk, and the page cache may not match it
// (fsync(2), "EIO"), so that file is never written again. recover() checks that every acknowledged
// record can be read and continues in a new segment right after the last of them. Anything the
// failed commit left in the old file is superseded.
//
// Owned by AuditLog; one thread; blocks on the disk. The time is always passed in.
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

namespace claimsd::audit {

struct StoreOptions {
  std::string directory;  // exists, is private, and is locked by the caller
  std::string origin;     // used if the log is new: names the host, no spaces
  std::size_t segment_bytes = std::size_t{64} << 20;
  Retention retention;
};

class Store {
 public:
  // Verifies the newest segment. If it cannot be opened at all, open() fails, because the chain
  // continues from its content. If it opens but does not verify, it is left unchanged and
  // `damaged_at` says where.
  static Result<Store> open(const StoreOptions& options, WallTime now);

  // Assigns sequence numbers and writes all records in one durable transaction. Never returns
  // kSegmentFull.
  Appended append(std::span<Record> records, WallTime now);

  // False after kFailed, until recover() has succeeded.
  bool trusted() const { return segment_.has_value(); }
  Status recover(WallTime now);

  // Drops the segments that retention allows to go: first writes a record of it, then removes the
  // files. `clock_proven`: `now` can be believed; otherwise age drops nothing.
  Appended retain(WallTime now, bool clock_proven = true);
  // Segments that this object dropped for their size before retention's age.
  std::uint64_t dropped_early() const { return dropped_early_; }

  // The copy of the head of the revocations that the next commits carry.
  void note_revocations(const claims::SetHead& head) { head_.revocations = head; }

  const Head& head() const { return head_; }
  const std::string& origin() const { return origin_; }
  // The active segment.
  const SegmentIdentity& newest() const { return newest_; }
  std::optional<Sequence> damaged_at() const { return damaged_at_; }
  // True if the last record of the previous run is not `stopped`.
  bool ended_badly() const { return ended_badly_; }
  const std::vector<SegmentInfo>& segments() const { return segments_; }
  std::uint64_t bytes() const;

  // Visits each segment in order, the newest included, until `visit` returns false. Call between
  // commits.
  Status each_segment(const std::function<bool(const SegmentView&)>& visit) const;

 private:
  Store(const StoreOptions& options, Hasher hasher)
      : options_(options), origin_(options.origin), hasher_(std::move(hasher)) {}

  Status open_newest(WallTime now);
  Status begin_segment(WallTime now);
  void roll_if_due(WallTime now);
  Appended append_here(std::span<Record> records);
  void remove_dropped();
  std::size_t map_size() const;

  StoreOptions options_;
  std::string origin_;
  Hasher hasher_;
  std::optional<Segment> segment_;
  std::vector<SegmentInfo> segments_;  // newest last
  SegmentIdentity newest_;
  Head head_;  // the last acknowledged state
  std::optional<Sequence> damaged_at_;
  bool ended_badly_ = false;
  std::uint64_t dropped_early_ = 0;
};

// The first sequence in the segment, up to `last`, whose record does not follow from the one
// before. Nothing if all do and `last` has the link `link`.
std::optional<Sequence> first_broken(const SegmentView& view, Hasher& hasher, Sequence last,
                                     const Link& link);

}  // namespace claimsd::audit
