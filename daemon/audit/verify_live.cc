#include "daemon/audit/verify_live.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace claimsd::audit {

Continuation::Continuation(Hasher hasher, Anchors anchors, Verification verified)
    : hasher_(std::move(hasher)), anchors_(std::move(anchors)), done_(std::move(verified)) {
  done_.cannot_tell.clear();
  auto& all = anchors_.anchors;
  std::stable_sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.sequence < other.sequence;
  });
  while (anchor_ < all.size() && all[anchor_].sequence <= done_.last) ++anchor_;
  if (!anchors_.problems.empty() && !done_.finding)
    found(Tamper::kForgery, 0, "anchors: " + anchors_.problems.front());
}

Continuation::Continuation(Hasher hasher, Anchors anchors, const SegmentIdentity& begin)
    : Continuation(std::move(hasher), std::move(anchors),
                   Verification{.finding = {},
                                .first = begin.first,
                                .last = begin.first - 1,
                                .link = begin.before,
                                .events = begin.events}) {
  if (begin.first == 1 && (begin.before != hasher_.first(begin.origin) || begin.events != 0))
    found(Tamper::kChange, 1, "the header of the first segment was changed");
}

bool Continuation::found(Tamper kind, Sequence at, std::string sentence) {
  if (!done_.finding) done_.finding = Finding{kind, at, std::move(sentence)};
  return false;
}

bool Continuation::take(std::string_view record, const Link& link) {
  if (done_.finding) return false;
  const Sequence expected = next();
  const auto decoded = decode_audit_record(record);
  if (decoded && decoded->sequence > expected) {
    return found(Tamper::kRemoval, expected,
                 fmt::format("records {} to {} are missing", expected, decoded->sequence - 1));
  }
  const Link follows = hasher_.next(done_.link, record);
  if (!decoded || decoded->sequence != expected || follows != link) {
    return found(Tamper::kChange, expected,
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

bool Continuation::holds(const Anchor& anchor) {
  if (anchor.link == done_.link && anchor.events == done_.events) {
    ++done_.anchors;
    done_.anchored = anchor.sequence;
    return true;
  }
  return found(Tamper::kChange, done_.anchored + 1,
               fmt::format("between the anchors at {} and {} the log was rewritten: records were "
                           "changed, removed or inserted",
                           done_.anchored, anchor.sequence));
}

Verification Continuation::end(Sequence last) && {
  if (done_.last < last) {
    found(Tamper::kRemoval, next(), fmt::format("records {} to {} are missing", next(), last));
  }
  if (anchor_ < anchors_.anchors.size()) {
    found(Tamper::kRollback, next(),
          fmt::format("the log ends at {}, but its last anchor is at {}: this is an old copy",
                      done_.last, anchors_.anchors.back().sequence));
  }
  if (!done_.finding) done_.cannot_tell = what_is_unverified(done_);
  return std::move(done_);
}

}  // namespace claimsd::audit
