// paced_log.h: keeps one thing that happens again and again from filling the log: so many lines of
// an event in a while, then a count of what was left out.
//
// Stands before another Log. Which events it holds back the table of events says (log_events.h):
// those that peers, an Auth API or a disk can cause as often as they like, and never a start, a
// stop or what an operator did. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/base/clock.h"
#include "daemon/log/log.h"

namespace claimsd::daemon {

class PacedLog final : public Log {
 public:
  static constexpr std::uint32_t kLines = 10;  // of one event...
  static constexpr Duration kWindow = seconds(10);

  using IsPaced = bool (*)(std::string_view event);

  // All of it outlives this.
  PacedLog(Log& to, const Clock& clock, IsPaced is_paced)
      : to_(to), clock_(clock), is_paced_(is_paced) {}

  using Log::write;
  void write(LogLevel level, std::string_view event, std::string_view sentence,
             LogFields fields) override;

 private:
  struct Window {
    BootTime ends;
    std::uint32_t lines = 0;
    std::uint64_t left_out = 0;
  };
  struct LeftOut {
    std::string event;
    std::uint64_t lines = 0;
  };

  bool admits(std::string_view event, BootTime now);
  std::vector<LeftOut> take_left_out(BootTime now);

  Log& to_;
  const Clock& clock_;
  IsPaced is_paced_;
  std::mutex mutex_;                                    // guards what follows
  std::map<std::string, Window, std::less<>> windows_;  // at most one for each event of the table
  std::uint64_t left_out_ = 0;                          // in all of them
};

}  // namespace claimsd::daemon
