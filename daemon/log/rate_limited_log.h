// rate_limited_log.h: rate-limits frequent log events: at most kLines lines of one event per kWindow, then
// a count of the suppressed ones. Any thread.
//
// Wraps another Log. The table in log_events.h says which events are limited: those that peers, an
// Auth API or a disk can cause at will. Start, stop and operator actions are never limited.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/log/log.h"

namespace claimsd {

class RateLimitedLog final : public Log {
 public:
  static constexpr std::uint32_t kLines = 10;  // per event and window
  static constexpr Duration kWindow = seconds(10);

  using IsRateLimited = bool (*)(std::string_view event);

  // All of them must outlive this object.
  RateLimitedLog(Log& to, const Clock& clock, IsRateLimited is_rate_limited)
      : to_(to), clock_(clock), is_rate_limited_(is_rate_limited) {}

  using Log::write;
  void write(LogLevel level, std::string_view event, std::string_view sentence,
             LogFields fields) override;

 private:
  struct Window {
    BootTime ends;
    std::uint32_t lines = 0;
    std::uint64_t suppressed = 0;
  };
  struct Suppressed {
    std::string event;
    std::uint64_t lines = 0;
  };

  bool admits(std::string_view event, BootTime now);
  std::vector<Suppressed> take_suppressed(BootTime now);

  Log& to_;
  const Clock& clock_;
  IsRateLimited is_rate_limited_;
  std::mutex mutex_;                                    // guards the members below
  std::map<std::string, Window, std::less<>> windows_;  // at most one per event in the table
  std::uint64_t suppressed_ = 0;                        // total of all windows
};

}  // namespace claimsd
