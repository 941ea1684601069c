// verify_live.h: verifies the segment that a daemon is writing. The file changes while it is read,
// and LMDB readers would have to write beside it. So the daemon returns the rows as stored, page by
// page, between its commits (live_query.h), and the chain is followed here.
//
// Continues after verify_audit() with `without_newest`, or begins at the newest segment. Pure; any
// thread.
#pragma once

#include <string_view>

#include "daemon/audit/verify.h"

namespace claimsd::audit {

class Continuation {
 public:
  // Continues after segments that were verified and are intact.
  Continuation(Hasher hasher, Anchors anchors, Verification verified);
  // For a log whose only segment is the newest one.
  Continuation(Hasher hasher, Anchors anchors, const SegmentIdentity& begin);

  // The sequence expected next.
  Sequence next() const { return done_.last + 1; }
  // False if the row does not follow or contradicts an anchor. Further rows are then not needed.
  bool take(std::string_view record, const Link& link);
  // Call after every row up to `last` was passed to take().
  Verification end(Sequence last) &&;

 private:
  bool found(Tamper kind, Sequence at, std::string sentence);
  bool holds(const Anchor& anchor);

  Hasher hasher_;
  Anchors anchors_;         // sorted by sequence
  std::size_t anchor_ = 0;  // index of the next one
  Verification done_;
};

}  // namespace claimsd::audit
