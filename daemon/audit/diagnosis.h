// diagnosis.h: explains why a row does not follow from the one before it: the kind of tampering.
//
// Uses what is still intact: each row stores its link, and each record its sequence. Scans at most
// one segment, once. Reads the segment, otherwise pure; the caller's thread.
#pragma once

#include <array>

#include "daemon/audit/verify.h"

namespace claimsd::audit {

// The links of the most recent valid records.
class ChainWindow {
 public:
  static constexpr std::size_t kLength = 64;
  void add(Sequence sequence, const Link& link) { links_[sequence % kLength] = {sequence, link}; }
  const Link* of(Sequence sequence) const {
    const auto& [known, link] = links_[sequence % kLength];
    return known == sequence ? &link : nullptr;
  }

 private:
  std::array<std::pair<Sequence, Link>, kLength> links_{};
};

// `expected` is the sequence that should come next; `row` is what was found instead, which is not
// the record that follows `trail`.
Finding diagnose(const SegmentView& view, Hasher& hasher, const ChainWindow& window,
                 Sequence expected, const StoredRow& row);

}  // namespace claimsd::audit
