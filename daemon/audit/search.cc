#include "daemon/audit/search.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <limits>

#include "daemon/base/fd.h"

namespace claimsd::audit {

bool SearchFilter::matches(const Record& record) const {
  if (record.sequence < first) return false;
  if (since && record.last < *since) return false;
  if (until && record.at.wall >= *until) return false;
  if (user && record.user != std::string_view(*user).substr(0, kMaxAuditUser)) return false;
  if (token && record.token != token) return false;
  if (event && record.event != *event) return false;
  if (verdict && record.verdict != *verdict) return false;
  return !uid || record.peer.uid == *uid;
}

bool search_segment(const SegmentView& view, Sequence end, const SearchFilter& query,
                    SearchStats& stats, const Visit& visit) {
  bool more = true;
  const auto look_at = [&](const StoredRow& row) {
    if (row.key >= end) return false;
    ++stats.read;
    const auto record = decode_audit_record(row.record);
    if (!record || !query.matches(*record)) return true;
    ++stats.matched;
    more = visit(*record);
    return more;
  };
  const auto look_up = [&](Sequence sequence) {
    const auto row = view.at(sequence);
    return !row || look_at(*row);
  };
  if (query.token) {
    view.each_of_token(*query.token, look_up);
  } else if (query.user) {
    view.each_of_user(*query.user, look_up);
  } else {
    view.each(query.first, look_at);
  }
  return more;
}

Result<Reader> Reader::open(const std::string& directory) {
  return Reader(TRY(list_segments(directory)));
}

Sequence Reader::end_of(std::size_t segment) const {
  return segment + 1 < files_.size() ? files_[segment + 1].first
                                     : std::numeric_limits<Sequence>::max();
}

Result<SearchStats> Reader::search(const SearchFilter& query, const Visit& visit) const {
  SearchStats stats;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (end_of(i) <= query.first) continue;
    const SegmentView view = TRY(SegmentView::open(files_[i].path));
    if (!search_segment(view, end_of(i), query, stats, visit)) break;
  }
  return stats;
}

Result<Sequence> Reader::start_of_last(std::uint64_t count) const {
  if (files_.empty()) return Sequence{1};
  const SegmentView view = TRY(SegmentView::open(files_.back().path));
  const Sequence last = view.head().sequence;
  return last >= count ? last - count + 1 : Sequence{1};
}

bool audit_directory_is_live(const std::string& directory) {
  const Fd fd(open((directory + "/lock").c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return fd && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace claimsd::audit
