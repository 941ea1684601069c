#include "daemon/claims/upstream/rejection_check.h"

namespace claimsd::claims {

bool RejectionCheck::doubts(bool known, Duration connection_age, BootTime now) const {
  if (connection_age < kOldConnection) return false;
  const Tokens& tokens = tokens_[known ? 1 : 0];
  return tokens.agreements < kAgreements || now - tokens.last >= kBelieved;
}

void RejectionCheck::agreed(bool known, BootTime now) {
  Tokens& tokens = tokens_[known ? 1 : 0];
  if (now - tokens.last >= kBelieved) tokens.agreements = 0;
  ++tokens.agreements;
  tokens.last = now;
}

}  // namespace claimsd::claims
