#include "daemon/claims/upstream/token_bucket.h"

#include <algorithm>

namespace claimsd::claims {

void TokenBucket::fill(const Rate& rate, BootTime now) {
  // Ignore a clock that went backwards: the level only grows with time.
  const double elapsed = std::max(0.0, std::chrono::duration<double>(now - filled_at_).count());
  level_ = std::min(static_cast<double>(rate.burst), level_ + elapsed * rate.per_second);
  filled_at_ = std::max(filled_at_, now);
}

Duration TokenBucket::wait(const Rate& rate, double reserve) const {
  const double missing = std::max(0.0, 1.0 + reserve - level_);
  return std::chrono::ceil<milliseconds>(std::chrono::duration<double>(missing / rate.per_second));
}

}  // namespace claimsd::claims
