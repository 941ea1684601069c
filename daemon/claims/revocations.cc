#include "daemon/claims/revocations.h"

#include <algorithm>

namespace claimsd::daemon {
namespace {

// Of two rules about one subject, everything that either denies.
Rule stricter(const Rule& a, const Rule& b) {
  Rule merged = b;
  merged.not_before = std::max(a.not_before, b.not_before);
  merged.undated_until = std::max(a.undated_until, b.undated_until);
  merged.until = std::max(a.until, b.until);
  return merged;
}

}  // namespace

bool Revocations::add(const Rule& rule, const Now& now) {
  const Key key{rule.kind, rule.subject};
  const auto found = rules_.find(key);
  if (found == rules_.end() && rules_.size() >= capacity_) return false;
  const Rule merged = found == rules_.end() ? rule : stricter(found->second.rule, rule);
  // From now, not from when it was made: a rule read back after a restart is kept for its whole
  // length again, since nobody knows what the wall clock did in between.
  BootTime kept_until = BootTime::max();
  if (merged.until != WallTime::max()) {
    const Duration length = std::max(Duration(0), merged.until - merged.made_at);
    kept_until = length < BootTime::max() - now.boot ? now.boot + length : BootTime::max();
  }
  if (found == rules_.end() && rule.kind == RuleKind::kToken) ++token_rules_;
  rules_[key] = Kept{merged, kept_until};
  return true;
}

const Revocations::Kept* Revocations::find(RuleKind kind, const Fingerprint& subject) const {
  const auto found = rules_.find(Key{kind, subject});
  return found == rules_.end() ? nullptr : &found->second;
}

bool Revocations::denies_token(const Fingerprint& token, const Now& now) const {
  const Kept* const kept = find(RuleKind::kToken, token);
  return kept != nullptr && !has_ended(*kept, now);
}

bool Revocations::denies_user(const Fingerprint& user, WallTime issued_at, const Now& now) const {
  if (const Kept* const lock = find(RuleKind::kLock, user);
      lock != nullptr && !has_ended(*lock, now))
    return true;
  const Kept* const kept = find(RuleKind::kUser, user);
  return kept != nullptr && denies_issued(kept->rule, issued_at, now);
}

bool Revocations::denies_everybody(WallTime issued_at, const Now& now) const {
  const Kept* const kept = find(RuleKind::kEverybody, Fingerprint{});
  return kept != nullptr && denies_issued(kept->rule, issued_at, now);
}

bool Revocations::denies_issued(const Rule& rule, WallTime issued_at, const Now& now) {
  if (issued_at == WallTime::min()) return now.wall < rule.undated_until;
  return issued_at < rule.not_before;
}

}  // namespace claimsd::daemon
