// diagnosis.h: a row does not follow from the one before: what happened to it?
//
// Tries to explain it by what is still intact: each row holds its link, and each record its
// sequence. Costs a scan of one segment at most, once. Pure but for reading the segment.
#pragma once

#include <array>

#include "daemon/audit/verify.h"

namespace claimsd::daemon {

// The links of the last records that followed.
class AuditTrail {
 public:
  static constexpr std::size_t kLength = 64;
  void add(AuditSequence sequence, const AuditLink& link) {
    links_[sequence % kLength] = {sequence, link};
  }
  const AuditLink* of(AuditSequence sequence) const {
    const auto& [known, link] = links_[sequence % kLength];
    return known == sequence ? &link : nullptr;
  }

 private:
  std::array<std::pair<AuditSequence, AuditLink>, kLength> links_{};
};

// `expected` is the sequence that should have come, and `row` what came in its place, which is not
// the record that follows `trail`.
AuditFinding diagnose(const AuditSegmentView& view, AuditHasher& hasher, const AuditTrail& trail,
                      AuditSequence expected, const AuditStoredRow& row);

}  // namespace claimsd::daemon
