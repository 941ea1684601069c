#include "tests/sim/admin_actions.h"

namespace claimsd::sim {

using namespace claims;

bool ActionRecord::is_about(const TokenRecord& token) const {
  switch (subject) {
    case Subject::kToken: return token.text == who;
    case Subject::kUser: return token.user == user && (!upstream || *upstream == token.upstream);
    case Subject::kAllUsers: return true;
  }
  return false;
}

bool ActionRecord::denies(const TokenRecord& token, bool for_ever) const {
  if (!revokes || !in_effect || withdrawn || !is_about(token)) return false;
  const bool lasts = for_ever ? !long_over : !over;
  if (subject == Subject::kToken || lock) {
    if (lasts) return true;
    if (subject == Subject::kToken) return false;
  }
  if (token.issued_at == WallTime::min()) return lasts;
  return token.issued_at < made.wall;
}

}  // namespace claimsd::sim
