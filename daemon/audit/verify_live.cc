#include "daemon/audit/verify_live.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace claimsd::daemon {

AuditContinuation::AuditContinuation(AuditHasher hasher, AuditAnchors anchors,
                                     AuditVerification verified)
    : hasher_(std::move(hasher)), anchors_(std::move(anchors)), done_(std::move(verified)) {
  done_.cannot_tell.clear();
  auto& all = anchors_.anchors;
  std::stable_sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.sequence < other.sequence;
  });
  while (anchor_ < all.size() && all[anchor_].sequence <= done_.last) ++anchor_;
  if (!anchors_.problems.empty() && !done_.finding)
    found(AuditTamper::kForgery, 0, "anchors: " + anchors_.problems.front());
}

AuditContinuation::AuditContinuation(AuditHasher hasher, AuditAnchors anchors,
                                     const AuditSegmentIdentity& begin)
    : AuditContinuation(std::move(hasher), std::move(anchors),
                        AuditVerification{.finding = {},
                                          .first = begin.first,
                                          .last = begin.first - 1,
                                          .link = begin.before,
                                          .events = begin.events}) {
  if (begin.first == 1 && (begin.before != hasher_.first(begin.origin) || begin.events != 0))
    found(AuditTamper::kChange, 1, "the header of the first segment was changed");
}

bool AuditContinuation::found(AuditTamper kind, AuditSequence at, std::string sentence) {
  if (!done_.finding) done_.finding = AuditFinding{kind, at, std::move(sentence)};
  return false;
}

bool AuditContinuation::take(std::string_view record, const AuditLink& link) {
  if (done_.finding) return false;
  const AuditSequence expected = next();
  const auto decoded = decode_audit_record(record);
  if (decoded && decoded->sequence > expected) {
    return found(AuditTamper::kRemoval, expected,
                 fmt::format("records {} to {} are missing", expected, decoded->sequence - 1));
  }
  const AuditLink follows = hasher_.next(done_.link, record);
  if (!decoded || decoded->sequence != expected || follows != link) {
    return found(AuditTamper::kChange, expected,
                 fmt::format("record {}: its link does not match the previous record", expected));
  }
  done_.link = link;
  done_.last = expected;
  ++done_.records;
  done_.events += decoded->count;
  done_.bytes += record.size();
  const auto& all = anchors_.anchors;
  while (anchor_ < all.size() && all[anchor_].sequence == expected) {
    if (!holds(all[anchor_])) return false;
    ++anchor_;
  }
  return true;
}

bool AuditContinuation::holds(const AuditAnchor& anchor) {
  if (anchor.link == done_.link && anchor.events == done_.events) {
    ++done_.anchors;
    done_.anchored = anchor.sequence;
    return true;
  }
  return found(AuditTamper::kChange, done_.anchored + 1,
               fmt::format("between the anchors at {} and {} the log was rewritten: records were "
                           "changed, removed or inserted",
                           done_.anchored, anchor.sequence));
}

AuditVerification AuditContinuation::end(AuditSequence last) && {
  if (done_.last < last) {
    found(AuditTamper::kRemoval, next(), fmt::format("records {} to {} are missing", next(), last));
  }
  if (anchor_ < anchors_.anchors.size()) {
    found(AuditTamper::kRollback, next(),
          fmt::format("the log ends at {}, but its last anchor is at {}: this is an old copy",
                      done_.last, anchors_.anchors.back().sequence));
  }
  if (!done_.finding) done_.cannot_tell = what_nobody_can_tell(done_);
  return std::move(done_);
}

}  // namespace claimsd::daemon
