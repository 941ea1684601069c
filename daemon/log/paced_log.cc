#include "daemon/log/paced_log.h"

namespace claimsd::daemon {

void PacedLog::write(LogLevel level, std::string_view event, std::string_view sentence,
                     LogFields fields) {
  const BootTime now = clock_.now().boot;
  std::vector<LeftOut> left_out;
  bool admitted = true;
  {
    const std::lock_guard lock(mutex_);
    left_out = take_left_out(now);
    admitted = !is_paced_(event) || admits(event, now);
  }
  // Not under the lock: the writer below may block.
  for (const LeftOut& one : left_out) {
    to_.warning("left_out", "suppressed {} more lines of {} in {} s", one.lines, one.event,
                kWindow / seconds(1));
  }
  if (admitted) to_.write(level, event, sentence, fields);
}

bool PacedLog::admits(std::string_view event, BootTime now) {
  auto found = windows_.find(event);
  if (found == windows_.end())
    found = windows_.emplace(std::string(event), Window{.ends = now + kWindow}).first;
  Window& window = found->second;
  if (window.ends <= now) window = {.ends = now + kWindow};
  if (window.lines < kLines) {
    ++window.lines;
    return true;
  }
  ++window.left_out;
  ++left_out_;
  return false;
}

// Of windows that have ended. Reported with the next line of any event.
std::vector<PacedLog::LeftOut> PacedLog::take_left_out(BootTime now) {
  std::vector<LeftOut> taken;
  if (left_out_ == 0) return taken;
  for (auto& [event, window] : windows_) {
    if (window.ends > now || window.left_out == 0) continue;
    taken.push_back({event, window.left_out});
    left_out_ -= window.left_out;
    window.left_out = 0;
  }
  return taken;
}

}  // namespace claimsd::daemon
