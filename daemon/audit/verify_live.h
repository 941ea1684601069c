// verify_live.h: verification of what a daemon is writing now. Its file changes while it is read,
// and LMDB's readers would have to write beside it: so the daemon itself hands the rows over as
// they are stored, page by page, between its commits (live_query.h), and the chain is followed
// here.
//
// Goes on where verify_audit() ended that left the newest segment out; or begins where that segment
// does. Pure; any thread.
#pragma once

#include <string_view>

#include "daemon/audit/verify.h"

namespace claimsd::daemon {

class AuditContinuation {
 public:
  // After segments that were verified, and are whole.
  AuditContinuation(AuditHasher hasher, AuditAnchors anchors, AuditVerification verified);
  // Where there are none: the newest segment is the only one.
  AuditContinuation(AuditHasher hasher, AuditAnchors anchors, const AuditSegmentIdentity& begin);

  // Where the next row is looked for.
  AuditSequence next() const { return done_.last + 1; }
  // False: that is not what follows, or not what an anchor says; the rest need not come.
  bool take(std::string_view record, const AuditLink& link);
  // All that there was up to `last` has been taken.
  AuditVerification end(AuditSequence last) &&;

 private:
  bool found(AuditTamper kind, AuditSequence at, std::string sentence);
  bool holds(const AuditAnchor& anchor);

  AuditHasher hasher_;
  AuditAnchors anchors_;    // by sequence
  std::size_t anchor_ = 0;  // the next one
  AuditVerification done_;
};

}  // namespace claimsd::daemon
