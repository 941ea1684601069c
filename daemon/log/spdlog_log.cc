#include "daemon/log/spdlog_log.h"

#include <errno.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <mutex>

#include "daemon/base/json_writer.h"
#include "daemon/base/printable.h"

namespace claimsd {
namespace {

constexpr std::size_t kMaxEvent = 64;
constexpr std::size_t kMaxField = 256;
constexpr std::size_t kMaxSentence =
    4096;  // with the rest of the line below 2 × PIPE_BUF; longer than any message

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

// 2026-11-23T12:00:00.123Z
std::string utc(WallTime time) {
  const auto since = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto day = std::chrono::floor<std::chrono::days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const std::chrono::hh_mm_ss of_day(since - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     of_day.hours().count(), of_day.minutes().count(), of_day.seconds().count(),
                     of_day.subseconds().count());
}

// One write(2) per line and no lock. The kernel does not mix lines of several threads on a file
// opened for appending, a pipe (up to PIPE_BUF) or a terminal, and a blocked writer does not block
// the others.
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

SpdlogLog::SpdlogLog(LogStyle style, LogLevel level, const Clock& clock, int fd)
    : style_(style),
      clock_(clock),
      logger_(std::make_unique<spdlog::logger>("claimsd", std::make_shared<FdSink>(fd))) {
  // The formatter prints the whole line unchanged, so the style may change while other threads
  // write.
  logger_->set_formatter(
      std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
  set_level(level);
}

SpdlogLog::~SpdlogLog() = default;

void SpdlogLog::write(LogLevel level, std::string_view event, std::string_view sentence,
                      LogFields fields) {
  if (!logger_->should_log(row(level).level)) return;
  const std::string safe_event = printable(event, kMaxEvent);
  const std::string safe_sentence = printable(sentence, kMaxSentence);
  const std::string line = style_ == LogStyle::kJson
                               ? as_json(level, safe_event, safe_sentence, fields)
                               : as_text(level, safe_event, safe_sentence, fields);
  logger_->log(row(level).level, spdlog::string_view_t(line.data(), line.size()));
}

std::string SpdlogLog::as_text(LogLevel level, std::string_view event, std::string_view sentence,
                               LogFields fields) const {
  std::string line =
      style_ == LogStyle::kText
          ? fmt::format("{} {} {}  {}", utc(clock_.now().wall), row(level).padded, event, sentence)
          : fmt::format("<{}>{} {}", row(level).priority, event, sentence);
  for (const LogField& field : fields)
    line += fmt::format(" {}={}", field.name, printable(field.value, kMaxField));
  return line;
}

std::string SpdlogLog::as_json(LogLevel level, std::string_view event, std::string_view sentence,
                               LogFields fields) const {
  JsonWriter json;
  json.begin_object()
      .member("time", utc(clock_.now().wall))
      .member("level", name_of(level))
      .member("event", event)
      .member("message", sentence);
  for (const LogField& field : fields) json.member(field.name, printable(field.value, kMaxField));
  return json.end_object().take();
}

void SpdlogLog::set_level(LogLevel level) {
  logger_->set_level(row(level).level);
}

}  // namespace claimsd
