#include "daemon/base/spdlog_log.h"

#include <errno.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "daemon/base/printable.h"

namespace claimsd::daemon {
namespace {

constexpr std::size_t kMaxEvent = 64;
constexpr std::size_t kMaxSentence =
    4096;  // with the rest of the line below PIPE_BUF x 2; nothing we say is longer

struct LevelRow {
  spdlog::level::level_enum level;
  std::string_view padded;
  char priority;  // syslog(3)
};
constexpr std::array kLevels = std::to_array<LevelRow>({
    {spdlog::level::debug, "debug  ", '7'},
    {spdlog::level::info, "info   ", '6'},
    {spdlog::level::warn, "warning", '4'},
    {spdlog::level::err, "error  ", '3'},
});
const LevelRow& row(LogLevel level) {
  return kLevels.at(static_cast<std::size_t>(level));
}

// One write(2) a line and no lock: the kernel keeps lines of several threads apart on a file opened
// for appending, a pipe (up to PIPE_BUF) and a terminal, and a reader that blocks one thread does
// not block the others on a mutex.
class FdSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FdSink(int fd) : fd_(fd) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const char* at = line.data();
    std::size_t left = line.size();
    while (left > 0) {
      const ssize_t written = ::write(fd_, at, left);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      at += written;
      left -= static_cast<std::size_t>(written);
    }
  }
  void flush_() override {}

 private:
  int fd_;
};

}  // namespace

LogStyle detect_log_style(const char* journal_stream, int fd) {
  struct stat status {};
  if (journal_stream == nullptr || fstat(fd, &status) != 0) return LogStyle::kText;
  const auto ours = fmt::format("{}:{}", status.st_dev, status.st_ino);
  return ours == journal_stream ? LogStyle::kJournal : LogStyle::kText;
}

SpdlogLog::SpdlogLog(LogStyle style, LogLevel level, int fd)
    : style_(style),
      logger_(std::make_unique<spdlog::logger>("claimsd", std::make_shared<FdSink>(fd))) {
  // The level's name is ours (spdlog's vary in width), so the pattern is the time and the message
  // at most.
  const char* pattern = style == LogStyle::kText ? "%Y-%m-%dT%H:%M:%S.%eZ %v" : "%v";
  logger_->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, "\n"));
  set_level(level);
}

SpdlogLog::~SpdlogLog() = default;

void SpdlogLog::write(LogLevel level, std::string_view event, std::string_view sentence) {
  const auto& as = row(level);
  if (!logger_->should_log(as.level)) return;
  const auto safe_event = printable(event, kMaxEvent);
  const auto safe_sentence = printable(sentence, kMaxSentence);
  const auto line = style_ == LogStyle::kText
                        ? fmt::format("{} {}  {}", as.padded, safe_event, safe_sentence)
                        : fmt::format("<{}>{} {}", as.priority, safe_event, safe_sentence);
  logger_->log(as.level, spdlog::string_view_t(line.data(), line.size()));
}

void SpdlogLog::set_level(LogLevel level) {
  logger_->set_level(row(level).level);
}

}  // namespace claimsd::daemon
