#include "daemon/audit/audit_store.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "daemon/base/hex.h"
#include "daemon/store/check_in_child.h"

namespace claimsd::audit {
namespace {

// Space beyond the size limit of a segment, for the commit that crosses it.
constexpr std::size_t kMapSlack = std::size_t{64} << 20;
constexpr Duration kReadLimit = seconds(60);

std::uint64_t size_of(const std::string& path) {
  struct stat file {};
  return stat(path.c_str(), &file) == 0 ? static_cast<std::uint64_t>(file.st_size) : 0;
}

Row row_of_record(const Record& record, std::string encoded, const Link& link) {
  return {record.sequence, std::move(encoded), link, record.user.substr(0, kMaxAuditUser),
          record.token};
}

// Reads what Store::open() is going to read: in a child process, because LMDB crashes on some damage.
Status read_segments(std::span<const SegmentFile> files) {
  for (const SegmentFile& file : files) {
    const SegmentView view = TRY(SegmentView::open(file.path));
    if (&file != &files.back()) continue;
    view.each(view.identity().first, [](const StoredRow&) { return true; });
    static_cast<void>(view.at(view.head().sequence));
  }
  return {};
}

Status check_segments(const std::vector<SegmentFile>& files) {
  if (files.empty() || store::check_in_child([&] { return read_segments(files); }, kReadLimit))
    return {};
  // Which one?
  for (const SegmentFile& file : files) {
    Status read = store::check_in_child([&] { return read_segments({&file, 1}); }, kReadLimit);
    if (!read) {
      // What is wrong with its header, for example another version, names the file and the fix.
      if (read.error().message.starts_with("the audit segment " + file.path)) return read;
      return failure(fmt::format(
          "the audit segment {} is damaged: {}: restore it from a backup, or move it away; "
          "claimsctl audit verify then reports the gap",
          file.path, read.error().message));
    }
  }
  return {};
}

}  // namespace

std::optional<Sequence> first_broken(const SegmentView& view, Hasher& hasher, Sequence last,
                                     const Link& link) {
  Sequence expected = view.identity().first;
  Link running = view.identity().before;
  view.each(expected, [&](const StoredRow& row) {
    if (row.key != expected || expected > last) return false;
    if (audit_sequence_of(row.record) != row.key) return false;
    const Link next = hasher.next(running, row.record);
    if (next != row.link) return false;
    running = next;
    ++expected;
    return true;
  });
  if (expected == last + 1 && running == link) return std::nullopt;
  return std::min(expected, last);
}

std::size_t Store::map_size() const {
  return options_.segment_bytes + kMapSlack;
}

Result<Store> Store::open(const StoreOptions& options, WallTime now) {
  if (options.origin.empty() || options.origin.size() > kMaxAuditOrigin ||
      options.origin.find_first_of(" \n\t") != std::string::npos) {
    return failure(fmt::format("the audit log's origin must be 1 to {} bytes without spaces",
                               kMaxAuditOrigin));
  }
  Hasher hasher = TRY(Hasher::create());
  Store store(options, std::move(hasher));
  const std::vector<SegmentFile> files = TRY(list_segments(options.directory));
  TRY(check_segments(files));
  for (const SegmentFile& file : files) {
    const SegmentView view = TRY(SegmentView::open(file.path));
    store.segments_.push_back(
        {file.path, file.first, file.generation, view.identity().day, file.bytes});
  }
  TRY(store.open_newest(now));
  store.remove_dropped();
  return store;
}

Status Store::open_newest(WallTime now) {
  if (segments_.empty()) {
    head_.link = hasher_.first(origin_);
    return begin_segment(now);
  }
  {
    const SegmentView view = TRY(SegmentView::open(segments_.back().path));
    newest_ = view.identity();
    origin_ = newest_.origin;
    head_ = view.head();
    damaged_at_ = first_broken(view, hasher_, head_.sequence, head_.link);
    // Its records can be read, but writing to it could damage them.
    if (!damaged_at_ && !store::check_lmdb_file(segments_.back().path))
      damaged_at_ = head_.sequence;
    const auto last = view.at(head_.sequence);
    const auto record = last ? decode_audit_record(last->record) : std::nullopt;
    ended_badly_ = record && record->event != Event::kStopped;
  }
  if (damaged_at_ || head_.closed) {
    head_.closed = false;
    return begin_segment(now);
  }
  segment_ = TRY(Segment::open(segments_.back().path, map_size()));
  return {};
}

Status Store::begin_segment(WallTime now) {
  std::uint32_t generation = 0;
  for (const SegmentInfo& segment : segments_) {
    if (segment.first == head_.sequence + 1) generation = segment.generation + 1;
  }
  const SegmentIdentity identity{origin_, head_.sequence + 1, head_.link, head_.events,
                                 audit_day(now)};
  segment_ = TRY(Segment::create(options_.directory, generation, identity, head_.dropped,
                                 head_.revocations, map_size()));
  segments_.push_back(
      {segment_->path(), identity.first, generation, identity.day, size_of(segment_->path())});
  newest_ = identity;
  return {};
}

// The new segment is created before the old one is marked closed. A crash in between leaves a log
// that continues without a gap, never one without an end.
void Store::roll_if_due(WallTime now) {
  const bool empty = head_.sequence + 1 == segments_.back().first;
  // Also after the clock was set back: otherwise a segment of a wrong future day would stay in use.
  const bool new_day = audit_day(now) != segments_.back().day;
  const bool full = segment_->used() >= options_.segment_bytes;
  if (empty || (!new_day && !full)) return;
  std::optional<Segment> old = std::exchange(segment_, std::nullopt);
  if (begin_segment(now)) {
    // Failure is harmless: verification does not depend on this flag.
    static_cast<void>(old->close(head_));
    segments_[segments_.size() - 2].bytes = size_of(old->path());
  } else {
    segment_ = std::move(old);
  }
}

Appended Store::append(std::span<Record> records, WallTime now) {
  if (!segment_) return Appended::kFailed;
  roll_if_due(now);
  Appended appended = append_here(records);
  if (appended == Appended::kSegmentFull) {
    const std::size_t before = segments_.size();
    std::optional<Segment> old = std::exchange(segment_, std::nullopt);
    if (!begin_segment(now)) {
      segment_ = std::move(old);
      return Appended::kDiskFull;
    }
    static_cast<void>(old->close(head_));
    segments_[before - 1].bytes = size_of(old->path());
    appended = append_here(records);
    if (appended == Appended::kSegmentFull) appended = Appended::kDiskFull;
  }
  if (appended == Appended::kFailed) segment_.reset();
  return appended;
}

Appended Store::append_here(std::span<Record> records) {
  Head head = head_;
  std::vector<Row> rows;
  rows.reserve(records.size());
  for (Record& record : records) {
    record.sequence = ++head.sequence;
    std::string encoded = encode_audit_record(record);
    head.link = hasher_.next(head.link, encoded);
    head.events += record.count;
    rows.push_back(row_of_record(record, std::move(encoded), head.link));
  }
  const Appended appended = segment_->append(rows, head);
  if (appended == Appended::kDurable) {
    head_ = head;
    segments_.back().bytes = segment_->used();
  }
  return appended;
}

Status Store::recover(WallTime now) {
  if (segment_) return {};
  if (!damaged_at_ && head_.sequence >= segments_.back().first) {
    const auto view = SegmentView::open(segments_.back().path);
    if (!view) return tl::make_unexpected(view.error());
    damaged_at_ = first_broken(*view, hasher_, head_.sequence, head_.link);
  }
  return begin_segment(now);
}

Appended Store::retain(WallTime now, bool clock_proven) {
  const auto [drop, early] = segments_to_drop(segments_, options_.retention, now, clock_proven);
  if (drop == 0 || !segment_) return Appended::kDurable;
  const std::string& next = segments_[drop].path;
  const bool newest = drop + 1 == segments_.size();
  const auto view = newest ? SegmentView::of(*segment_) : SegmentView::open(next);
  if (!view) return Appended::kFailed;
  const Sequence through = view->identity().first - 1;
  const bool known = through <= head_.dropped;
  Record record;
  record.event = Event::kSegmentDropped;
  record.at.wall = now;
  record.last = now;
  record.detail =
      fmt::format("through={} link={} events={} early={}", through,
                  hex_text(bytes_of(view->identity().before)), view->identity().events, early);
  if (!known) {
    const Sequence before = std::exchange(head_.dropped, through);
    const Appended appended = append({&record, 1}, now);
    if (appended != Appended::kDurable) {
      head_.dropped = before;
      return appended;
    }
    dropped_early_ += early;
  }
  remove_dropped();
  return Appended::kDurable;
}

// Removes every segment that a record declares dropped, including after a crash in between.
void Store::remove_dropped() {
  std::size_t gone = 0;
  while (gone + 1 < segments_.size() && segments_[gone + 1].first <= head_.dropped + 1) {
    if (unlink(segments_[gone].path.c_str()) != 0) break;
    ++gone;
  }
  if (gone == 0) return;
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(gone));
  // If the files reappear after a power failure, the next start removes them.
  static_cast<void>(sync_directory(options_.directory));
}

std::uint64_t Store::bytes() const {
  std::uint64_t bytes = 0;
  for (const SegmentInfo& segment : segments_) bytes += segment.bytes;
  return bytes;
}

Status Store::each_segment(const std::function<bool(const SegmentView&)>& visit) const {
  for (const SegmentInfo& segment : segments_) {
    const bool newest = segment_ && segment_->path() == segment.path;
    const SegmentView view =
        TRY(newest ? SegmentView::of(*segment_) : SegmentView::open(segment.path));
    if (!visit(view)) break;
  }
  return {};
}

}  // namespace claimsd::audit
