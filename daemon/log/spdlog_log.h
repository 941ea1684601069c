// spdlog_log.h: the daemon's Log: one line per event on standard error. Created once by main; any
// thread may write and set the level.
//
// style    line
// text     2026-11-23T12:00:00.123Z info    listening  claims socket at /run/claimsd/claims.sock
// journal  <6>listening claims socket at /run/claimsd/claims.sock
// json     {"time":"2026-11-23T12:00:00.123Z","level":"info","event":"listening","message":"…"}
//
// In style journal the journal adds the time (sd-daemon(3)). Fields follow the sentence as
// name=value, or are members of the object. Event, sentence and values pass through printable(), so
// a line stays one line. Writing never fails for the caller: a broken log must not stop answers.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "daemon/base/clock.h"
#include "daemon/log/log.h"

namespace spdlog {
class logger;
}

namespace claimsd {

enum class LogStyle : std::uint8_t { kText, kJournal, kJson };

// The style that suits standard error: journal if JOURNAL_STREAM ("DEVICE:INODE", systemd.exec(5))
// names `fd`. Compared with fstat(2), because a child may have inherited only the variable.
LogStyle detect_log_style(const char* journal_stream, int fd = 2);

class SpdlogLog final : public Log {
 public:
  // Writes to `fd`. `fd` and the clock must outlive the log. main passes 2.
  SpdlogLog(LogStyle style, LogLevel level, const Clock& clock, int fd = 2);
  ~SpdlogLog() override;
  SpdlogLog(const SpdlogLog&) = delete;
  SpdlogLog& operator=(const SpdlogLog&) = delete;

  using Log::write;
  void write(LogLevel level, std::string_view event, std::string_view sentence,
             LogFields fields) override;
  void set_level(LogLevel level);
  void set_style(LogStyle style) { style_ = style; }

 private:
  std::string as_text(LogLevel level, std::string_view event, std::string_view sentence,
                      LogFields fields) const;
  std::string as_json(LogLevel level, std::string_view event, std::string_view sentence,
                      LogFields fields) const;

  std::atomic<LogStyle> style_;
  const Clock& clock_;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace claimsd
