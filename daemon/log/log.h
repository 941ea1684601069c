// log.h: the daemon's log for its operator, one line per event. Any thread.
//
// A line has a level, an event name for programs, and a sentence. Never log a token, an email or a
// claim; use fingerprints and counts. The composition root creates the Log and passes it on.
#pragma once

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace claimsd {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

inline constexpr std::array kLogLevels = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning,
                                          LogLevel::kError};

// For example "debug", as in the configuration.
constexpr std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, kLogLevels.size()> kNames = {"debug", "info", "warning",
                                                                      "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

// An extra field for programs, for example {"trace_id", "4bf92f…"}. Values may be untrusted.
struct LogField {
  std::string_view name;
  std::string_view value;
};
using LogFields = std::span<const LogField>;

class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view event, std::string_view sentence,
                     LogFields fields) = 0;
  void write(LogLevel level, std::string_view event, std::string_view sentence) {
    write(level, event, sentence, {});
  }

  template <class... Args>
  void debug(std::string_view event, fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kDebug, event, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void info(std::string_view event, fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kInfo, event, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warning(std::string_view event, fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kWarning, event, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void error(std::string_view event, fmt::format_string<Args...> format, Args&&... args) {
    write(LogLevel::kError, event, fmt::format(format, std::forward<Args>(args)...));
  }
};

// Discards everything. For tests and tools.
class NullLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::string_view, LogFields) override {}
};

}  // namespace claimsd
