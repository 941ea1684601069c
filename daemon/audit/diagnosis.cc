#include "daemon/audit/diagnosis.h"

#include <fmt/core.h>

namespace claimsd::daemon {
namespace {

// Up to this many records inserted or removed at one place are recognized even if all were
// renumbered.
constexpr AuditSequence kReach = AuditTrail::kLength - 1;

// The sequence is at offset 8 of a record (FORMAT.md).
std::string with_sequence(std::string_view record, AuditSequence sequence) {
  std::string changed(record);
  for (std::size_t i = 8; i < 16 && i < changed.size(); ++i, sequence >>= 8U) {
    changed[i] = static_cast<char>(sequence & 0xffU);
  }
  return changed;
}

class Diagnosis {
 public:
  Diagnosis(const AuditSegmentView& view, AuditHasher& hasher, const AuditTrail& trail,
            AuditSequence expected, const AuditStoredRow& row)
      : view_(view), hasher_(hasher), trail_(trail), expected_(expected), row_(row) {}

  AuditFinding run() {
    const auto inner = audit_sequence_of(row_.record);
    if (!inner) return changed("it is no longer a record");
    if (row_.key > expected_) return missing(row_.key - 1);
    if (*inner > row_.key) return numbered_higher(*inner);
    if (*inner < row_.key) return numbered_lower(*inner);
    return numbered_right();
  }

 private:
  bool follows(const AuditLink& before, std::string_view record, const AuditLink& link) {
    return hasher_.next(before, record) == link;
  }

  AuditFinding changed(std::string_view how) const {
    return {AuditTamper::kChange, expected_, fmt::format("record {}: {}", expected_, how)};
  }
  AuditFinding inserted(AuditSequence at, AuditSequence count) const {
    return {AuditTamper::kInsertion, at,
            fmt::format("{} inserted at sequence {}",
                        count == 1 ? "a record was" : fmt::format("{} records were", count), at)};
  }
  AuditFinding reordered(AuditSequence other) const {
    return {AuditTamper::kReordering, expected_,
            fmt::format("record {} was moved to {}", expected_, other)};
  }
  AuditFinding removed(AuditSequence last) const {
    return {AuditTamper::kRemoval, expected_,
            last == expected_ ? fmt::format("record {} is missing", expected_)
                              : fmt::format("records {} to {} are missing", expected_, last)};
  }

  // Looks for the missing record elsewhere in this segment.
  AuditFinding missing(AuditSequence last) {
    std::optional<AuditSequence> found;
    view_.each(view_.identity().first, [&](const AuditStoredRow& row) {
      if (audit_sequence_of(row.record) == expected_ && row.key != expected_) found = row.key;
      return !found;
    });
    return found ? reordered(*found) : removed(last);
  }

  AuditFinding numbered_higher(AuditSequence inner) {
    const auto home = view_.at(inner);
    if (home && home->record == row_.record) {
      return changed(fmt::format("it was replaced by a copy of record {}", inner));
    }
    return missing(inner - 1);
  }

  AuditFinding numbered_lower(AuditSequence inner) {
    const auto home = view_.at(inner);
    const auto next = view_.at(row_.key + 1);
    const bool next_in_place = next && audit_sequence_of(next->record) == next->key;
    const bool is_copy = home && home->record == row_.record;
    if (is_copy && (next_in_place || !next)) {
      return changed(fmt::format("it was replaced by a copy of record {}", inner));
    }
    if (is_copy) return inserted(expected_, row_.key - inner);
    const AuditLink* const before = trail_.of(inner - 1);
    if (before != nullptr && follows(*before, row_.record, row_.link)) {
      return inserted(inner, row_.key - inner);
    }
    if (next && audit_sequence_of(next->record) == next->key - (row_.key - inner)) {
      return inserted(expected_, row_.key - inner);
    }
    return changed("it was replaced by another record");
  }

  AuditFinding numbered_right() {
    const AuditLink* const before = trail_.of(expected_ - 1);
    const auto next = view_.at(expected_ + 1);
    if (!next) {
      if (view_.head().sequence > expected_) return removed(view_.head().sequence);
      return changed("its link does not match the previous record");
    }
    if (follows(row_.link, next->record, next->link))
      return changed(
          "its fields were changed, or those of the previous record, whose link was recomputed");
    if (before != nullptr &&
        follows(hasher_.next(*before, row_.record), next->record, next->link)) {
      return changed("its link was changed");
    }
    if (const auto home = renumbered_home(*next)) return reordered(home);
    if (const auto count = pushed_back(before)) return inserted(expected_, count);
    if (const auto count = pushed_back_itself()) return inserted(expected_ - count, count);
    for (AuditSequence count = 1; count <= kReach; ++count) {
      if (follows(row_.link, with_sequence(next->record, next->key + count), next->link)) {
        return removed(expected_ + count - 1);
      }
    }
    return changed("its link does not match the previous record");
  }

  // How many places further on the genuine record is now; 0: not found.
  AuditSequence pushed_back(const AuditLink* before) {
    if (before == nullptr) return 0;
    for (AuditSequence count = 1; count <= kReach; ++count) {
      const auto row = view_.at(expected_ + count);
      if (!row) return 0;
      if (follows(*before, with_sequence(row->record, expected_), row->link)) return count;
    }
    return 0;
  }

  // How many forged records precede this genuine one; they follow because they were rehashed. 0:
  // none.
  AuditSequence pushed_back_itself() {
    for (AuditSequence count = 1; count <= kReach && count < expected_; ++count) {
      const AuditLink* const before = trail_.of(expected_ - 1 - count);
      if (before == nullptr) return 0;
      if (follows(*before, with_sequence(row_.record, expected_ - count), row_.link)) return count;
    }
    return 0;
  }

  // The sequence to which this record belongs, if it was renumbered for its current place; 0: none.
  AuditSequence renumbered_home(const AuditStoredRow& next) {
    if (follows(next.link, with_sequence(row_.record, next.key), row_.link)) return next.key;
    AuditSequence home = 0;
    AuditLink before = next.link;
    view_.each(next.key + 1, [&](const AuditStoredRow& row) {
      if (follows(before, with_sequence(row_.record, row.key), row_.link)) home = row.key;
      before = row.link;
      return home == 0;
    });
    return home;
  }

  const AuditSegmentView& view_;
  AuditHasher& hasher_;
  const AuditTrail& trail_;
  AuditSequence expected_;
  const AuditStoredRow& row_;
};

}  // namespace

AuditFinding diagnose(const AuditSegmentView& view, AuditHasher& hasher, const AuditTrail& trail,
                      AuditSequence expected, const AuditStoredRow& row) {
  return Diagnosis(view, hasher, trail, expected, row).run();
}

}  // namespace claimsd::daemon
