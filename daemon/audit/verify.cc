#include "daemon/audit/verify.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "daemon/audit/codec.h"
#include "daemon/audit/diagnosis.h"
#include "daemon/base/hex.h"

namespace claimsd::audit {
namespace {

constexpr Sequence kNoEnd = std::numeric_limits<Sequence>::max();
constexpr std::uint64_t kProgressEvery = 10'000;  // records

// The fields needed here, read without decoding the record (offsets: FORMAT.md).
Event event_of(std::string_view record) {
  return static_cast<Event>(record[2]);
}
std::uint64_t count_of(std::string_view record) {
  return Decoder(record.substr(40)).integer<std::uint64_t>();
}
WallTime time_of(std::string_view record) {
  return WallTime(Duration(Decoder(record.substr(16)).integer<std::int64_t>()));
}

// Content of a segment_dropped record: "through=41 link=… events=…".
struct Dropped {
  Sequence through = 0;
  std::string link;  // hex
};

Dropped dropped_by(std::string_view record) {
  Dropped dropped;
  const auto decoded = decode_audit_record(record);
  if (!decoded) return dropped;
  const std::string_view detail = decoded->detail;
  const auto value = [&](std::string_view name) {
    const std::size_t at = detail.find(name);
    if (at == std::string_view::npos) return std::string_view();
    const auto rest = detail.substr(at + name.size());
    return rest.substr(0, rest.find(' '));
  };
  const auto through = value("through=");
  std::from_chars(through.data(), through.data() + through.size(), dropped.through);
  dropped.link = value("link=");
  return dropped;
}

class Walk {
 public:
  Walk(const VerifyOptions& options, Hasher hasher, std::vector<SegmentFile> files)
      : options_(options), hasher_(std::move(hasher)), files_(std::move(files)) {
    for (const SegmentFile& file : files_) all_bytes_ += file.bytes;
    if (options.anchors) anchors_ = options.anchors->anchors;
    std::stable_sort(anchors_.begin(), anchors_.end(), [](const auto& one, const auto& other) {
      return one.sequence < other.sequence;
    });
  }

  Verification run() {
    const bool well = forged() && segments() && trusted() && the_end() && the_start();
    if (well || done_.last != 0) done_.cannot_tell = what_is_unverified(done_);
    return std::move(done_);
  }

 private:
  bool found(Tamper kind, Sequence at, std::string sentence) {
    return found({kind, at, std::move(sentence)});
  }

  // A forged record with a valid hash first shows as an anchor mismatch, and then by its position.
  // The later finding is reported if it explains the mismatch.
  bool found(Finding finding) {
    const bool explains = finding.at <= suspected_at_ + 1;
    done_.finding = suspected_ && !explains ? *suspected_ : std::move(finding);
    return false;
  }
  bool suspect(Sequence anchor, Tamper kind, Sequence at, std::string sentence) {
    suspected_ = Finding{kind, at, std::move(sentence)};
    suspected_at_ = anchor;
    return true;
  }

  bool forged() {
    if (!options_.anchors) return true;
    for (const std::string& note : options_.anchors->notes)
      done_.notes.push_back("anchors: " + note);
    if (options_.anchors->problems.empty()) return true;
    return found(Tamper::kForgery, 0, "anchors: " + options_.anchors->problems.front());
  }

  bool segments() {
    if (files_.empty()) return nothing_there();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const Sequence next = i + 1 < files_.size() ? files_[i + 1].first : kNoEnd;
      const auto view = SegmentView::open(files_[i].path);
      if (!view) {
        return found(Tamper::kChange, expected_, view.error().message);
      }
      if (view->identity().first != files_[i].first) {
        return found(Tamper::kChange, files_[i].first,
                     fmt::format("{} has the name of another segment", files_[i].path));
      }
      if (!begins(*view, i == 0) || !rows(*view, next) || !ends(*view, next)) return false;
      done_bytes_ += files_[i].bytes;
    }
    return true;
  }

  bool nothing_there() {
    if (!anchors_.empty()) {
      return found(Tamper::kDeletion, 1,
                   fmt::format("the log is missing, but there are anchors up to sequence {}",
                               anchors_.back().sequence));
    }
    return found(
        Tamper::kDeletion, 1,
        "the log is missing: it has no segment, and the daemon never deletes the last one");
  }

  bool begins(const SegmentView& view, bool first) {
    const SegmentIdentity& identity = view.identity();
    if (first) {
      origin_ = identity.origin;
      expected_ = done_.first = identity.first;
      running_ = start_ = identity.before;
      events_ = identity.events;
      window_.add(expected_ - 1, running_);
      if (identity.first == 1 && (running_ != hasher_.first(origin_) || events_ != 0)) {
        return found(Tamper::kChange, 1, "the header of the first segment was changed");
      }
      while (anchor_ < anchors_.size() && anchors_[anchor_].sequence < expected_) {
        if (!holds(anchors_[anchor_], WallTime::min())) return false;
        ++anchor_;
      }
      return true;
    }
    if (identity.origin != origin_) {
      return found(Tamper::kInsertion, expected_,
                   fmt::format("a segment of another log, {}, was inserted at sequence {}",
                               identity.origin, identity.first));
    }
    if (identity.before != running_ || identity.events != events_) {
      return found(Tamper::kChange, expected_,
                   fmt::format("the segment that begins at {} does not match the previous segment",
                               identity.first));
    }
    return true;
  }

  bool rows(const SegmentView& view, Sequence next) {
    bool well = true;
    const bool readable = view.each(view.identity().first, [&](const StoredRow& row) {
      // A closed segment has no records after its end.
      if (row.key >= next && !view.head().closed) {
        ++superseded_;
        return true;
      }
      well = row_follows(view, row);
      return well;
    });
    if (well && !readable) {
      return found(Tamper::kChange, expected_, "the rest of the segment cannot be read");
    }
    return well;
  }

  bool row_follows(const SegmentView& view, const StoredRow& row) {
    const bool whole = row.key == expected_ && audit_sequence_of(row.record) == expected_;
    const Link link = whole ? hasher_.next(running_, row.record) : Link{};
    if (!whole || link != row.link) {
      return found(diagnose(view, hasher_, window_, expected_, row));
    }
    running_ = link;
    done_.link = link;
    window_.add(expected_, link);
    events_ += count_of(row.record);
    done_.bytes += row.record.size();
    done_.events = events_;
    done_.last = expected_;
    if (options_.reached != nullptr) options_.reached->store(expected_, std::memory_order_relaxed);
    if (++done_.records == 1) first_time_ = time_of(row.record);
    if (event_of(row.record) == Event::kSegmentDropped) {
      const Dropped dropped = dropped_by(row.record);
      if (dropped.through >= dropped_.through) dropped_ = dropped;
    }
    while (anchor_ < anchors_.size() && anchors_[anchor_].sequence == expected_) {
      if (!holds(anchors_[anchor_], time_of(row.record))) return false;
      ++anchor_;
    }
    ++expected_;
    if (options_.progress && done_.records % kProgressEvery == 0) report(view);
    return true;
  }

  void report(const SegmentView& view) {
    const double span = static_cast<double>(view.head().sequence - view.identity().first + 1);
    const double within = static_cast<double>(expected_ - view.identity().first) / span;
    const auto current = std::min(
        done_bytes_ +
            static_cast<std::uint64_t>(within * static_cast<double>(all_bytes_ - done_bytes_)),
        all_bytes_);
    options_.progress(done_.last, static_cast<double>(current) / static_cast<double>(all_bytes_));
  }

  // The chain is consistent up to here; compare it with the signed anchor.
  bool holds(const Anchor& anchor, WallTime written) {
    if (anchor.origin != origin_) {
      return found(Tamper::kForgery, anchor.sequence,
                   fmt::format("the anchors belong to another log, {}", anchor.origin));
    }
    if (suspected_) return true;                         // report the first mismatch only
    if (anchor.sequence + 1 < done_.first) return true;  // dropped by retention
    const Link& link = anchor.sequence + 1 == done_.first ? start_ : running_;
    if (anchor.link == link && anchor.events == events_) {
      ++done_.anchors;
      done_.anchored = anchor.sequence;
      return true;
    }
    const Sequence from = done_.anchored + 1;
    if (done_.anchored == 0 && done_.first == 1 && first_time_ > anchor.time) {
      return suspect(
          anchor.sequence, Tamper::kDeletion, 1,
          fmt::format(
              "this log began after the anchor at {} was signed: the earlier log was deleted",
              anchor.sequence));
    }
    if (written > anchor.time) {
      return suspect(anchor.sequence, Tamper::kRollback, from,
                     fmt::format("after sequence {} the log does not match the anchor at {}: an "
                                 "old copy was restored and continued",
                                 done_.anchored, anchor.sequence));
    }
    return suspect(anchor.sequence, Tamper::kChange, from,
                   fmt::format("between the anchors at {} and {} the log was rewritten: records "
                               "were changed, removed or inserted",
                               done_.anchored, anchor.sequence));
  }

  bool ends(const SegmentView& view, Sequence next) {
    const Head& head = view.head();
    const Sequence last = expected_ - 1;
    if (next == kNoEnd) return ends_the_log(head, last);
    if (head.closed && head.sequence >= next) {
      return found(Tamper::kInsertion, next,
                   fmt::format("a segment was inserted at sequence {}", next));
    }
    if (last >= next) {
      return found(Tamper::kInsertion, next,
                   fmt::format("the segment before {} has records after its end", next));
    }
    if (last + 1 == next) return agrees(head, head.closed, last);
    if (head.sequence <= last && !head.closed) {
      return found(Tamper::kRollback, expected_,
                   fmt::format("the segment before {} is an old copy that ends at {}", next, last));
    }
    return found(Tamper::kRemoval, expected_,
                 fmt::format("records {} to {} are missing", expected_, next - 1));
  }

  bool ends_the_log(const Head& head, Sequence last) {
    if (head.sequence > last) {
      return found(Tamper::kTruncation, expected_,
                   fmt::format("the log ends at {}, but its header says {}", last, head.sequence));
    }
    if (head.closed && !options_.without_newest) {
      return found(Tamper::kTruncation, expected_,
                   fmt::format("the segment after sequence {} is missing", last));
    }
    return agrees(head, true, last);
  }

  // The head of a segment that was not closed may come from a failed commit.
  bool agrees(const Head& head, bool must, Sequence last) {
    if (!must) return true;
    if (head.sequence < last) {
      return found(Tamper::kInsertion, head.sequence + 1,
                   fmt::format("the log continues to {1}, but its header says that it ends at {0}",
                               head.sequence, last));
    }
    if (head.link != running_ || head.events != events_) {
      return found(Tamper::kChange, last, "the end in the segment's header was changed");
    }
    return true;
  }

  bool trusted() {
    done_.finding = suspected_;
    return !suspected_;
  }

  bool the_end() {
    if (superseded_ > 0) {
      done_.notes.push_back(fmt::format(
          "skipped {} records that were never acknowledged because the disk failed", superseded_));
    }
    if (anchor_ == anchors_.size() || options_.without_newest) return true;
    const Anchor& ahead = anchors_.back();
    return found(Tamper::kRollback, expected_,
                 fmt::format("the log ends at {} without an error, but its last anchor is at {}: "
                             "this is an old copy",
                             expected_ - 1, ahead.sequence));
  }

  bool the_start() {
    if (done_.first <= 1) return true;
    const bool deleted_by_retention = dropped_.through + 1 >= done_.first;
    const bool same =
        dropped_.through + 1 != done_.first || dropped_.link == hex_text(bytes_of(start_));
    if (deleted_by_retention && same) return true;
    return found(Tamper::kRemoval, dropped_.through + 1,
                 fmt::format("records {} to {} are missing, and retention did not delete them",
                             dropped_.through + 1, done_.first - 1));
  }

  const VerifyOptions& options_;
  Hasher hasher_;
  std::vector<SegmentFile> files_;
  std::vector<Anchor> anchors_;  // sorted by sequence
  std::size_t anchor_ = 0;       // index of the next one
  Verification done_;
  std::string origin_;
  Sequence expected_ = 1;
  Link running_{};
  Link start_{};
  ChainWindow window_;
  std::uint64_t events_ = 0;
  WallTime first_time_{};
  Dropped dropped_;
  std::optional<Finding> suspected_;  // an anchor mismatch, unless explained later
  Sequence suspected_at_ = 0;
  std::uint64_t superseded_ = 0;
  std::uint64_t all_bytes_ = 0;
  std::uint64_t done_bytes_ = 0;
};

}  // namespace

std::string_view name_of(Tamper kind) {
  switch (kind) {
#define CLAIMSD_AUDIT_TAMPER_NAME(identifier, name) \
  case Tamper::identifier: return name;
    CLAIMSD_AUDIT_TAMPERS(CLAIMSD_AUDIT_TAMPER_NAME)
#undef CLAIMSD_AUDIT_TAMPER_NAME
  }
  return "unknown";
}

std::vector<std::string> what_is_unverified(const Verification& done) {
  if (done.anchored == done.last) return {};
  const std::string where = done.anchored == 0
                                ? "without anchors"
                                : fmt::format("after sequence {}, the last anchor", done.anchored);
  return {where +
              ": whether the log was rewritten with a new chain (change, removal, insertion or "
              "reordering)",
          where + ": whether its end was removed and the header adjusted (truncation)",
          where + ": whether this is an old copy (rollback)"};
}

Result<Verification> verify_audit(const VerifyOptions& options) {
  std::vector<SegmentFile> files = TRY(list_segments(options.directory));
  if (options.without_newest && !files.empty()) {
    files.pop_back();
    if (files.empty()) {
      return failure(fmt::format(
          "{} has no completed segment yet: stop the daemon, or verify through the admin socket",
          options.directory));
    }
  }
  Hasher hasher = TRY(Hasher::create());
  return Walk(options, std::move(hasher), std::move(files)).run();
}

}  // namespace claimsd::audit
