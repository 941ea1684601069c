#include "daemon/claims/token_bucket.h"

#include <algorithm>

namespace claimsd::daemon {

bool TokenBucket::take(Rate rate, BootTime now) {
  // Never from a clock that went back: a level only grows with time.
  const double elapsed = std::max(0.0, std::chrono::duration<double>(now - filled_at_).count());
  level_ = std::min(static_cast<double>(rate.burst), level_ + elapsed * rate.per_second);
  filled_at_ = std::max(filled_at_, now);
  if (level_ < 1.0) return false;
  level_ -= 1.0;
  return true;
}

Duration TokenBucket::wait(Rate rate) const {
  const double missing = std::max(0.0, 1.0 - level_);
  return std::chrono::ceil<milliseconds>(std::chrono::duration<double>(missing / rate.per_second));
}

}  // namespace claimsd::daemon
