#include "daemon/log/rate_limited_log.h"

namespace claimsd {

void RateLimitedLog::write(LogLevel level, std::string_view event, std::string_view sentence,
                           LogFields fields) {
  const BootTime now = clock_.now().boot;
  std::vector<Suppressed> suppressed;
  bool admitted = true;
  {
    const std::lock_guard lock(mutex_);
    suppressed = take_suppressed(now);
    admitted = !is_rate_limited_(event) || admits(event, now);
  }
  // Not under the lock: the writer below may block.
  for (const Suppressed& one : suppressed) {
    to_.warning("suppressed", "suppressed {} more lines of {} in {} s", one.lines, one.event,
                kWindow / seconds(1));
  }
  if (admitted) to_.write(level, event, sentence, fields);
}

bool RateLimitedLog::admits(std::string_view event, BootTime now) {
  auto found = windows_.find(event);
  if (found == windows_.end())
    found = windows_.emplace(std::string(event), Window{.ends = now + kWindow}).first;
  Window& window = found->second;
  if (window.ends <= now) window = {.ends = now + kWindow};
  if (window.lines < kLines) {
    ++window.lines;
    return true;
  }
  ++window.suppressed;
  ++suppressed_;
  return false;
}

// Of windows that have ended. Reported with the next line of any event.
std::vector<RateLimitedLog::Suppressed> RateLimitedLog::take_suppressed(BootTime now) {
  std::vector<Suppressed> taken;
  if (suppressed_ == 0) return taken;
  for (auto& [event, window] : windows_) {
    if (window.ends > now || window.suppressed == 0) continue;
    taken.push_back({event, window.suppressed});
    suppressed_ -= window.suppressed;
    window.suppressed = 0;
  }
  return taken;
}

}  // namespace claimsd
