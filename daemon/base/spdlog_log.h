// spdlog_log.h: the daemon's Log: one line a thing on standard error. Made once by main; any thread
// may write and set the level.
//
//   text     2026-11-23T12:00:00.123Z info    listening  claims socket at /run/claimsd/claims.sock
//   journal  <6>listening claims socket at /run/claimsd/claims.sock           (sd-daemon(3); the
//   journal has its own time)
//
// Event and sentence go through printable(): whatever stands in them, a line stays one line.
// Writing never fails for the caller: a log that cannot be written is no reason to stop answering.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "daemon/base/log.h"

namespace spdlog {
class logger;
}

namespace claimsd::daemon {

enum class LogStyle : std::uint8_t { kText, kJournal };

// The style that fits where standard error goes: journal when systemd says that it is the
// journal's, in JOURNAL_STREAM
// ("DEVICE:INODE", systemd.exec(5)), compared with standard error itself: a child may have
// inherited the variable alone.
LogStyle detect_log_style(const char* journal_stream, int fd = 2);

class SpdlogLog final : public Log {
 public:
  // Writes to `fd`, which must outlive the log; main passes 2.
  explicit SpdlogLog(LogStyle style, LogLevel level, int fd = 2);
  ~SpdlogLog() override;
  SpdlogLog(const SpdlogLog&) = delete;
  SpdlogLog& operator=(const SpdlogLog&) = delete;

  void write(LogLevel level, std::string_view event, std::string_view sentence) override;
  void set_level(LogLevel level);

 private:
  LogStyle style_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace claimsd::daemon
