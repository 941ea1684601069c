#include "daemon/log/spdlog_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <regex>
#include <thread>
#include <vector>

#include "daemon/base/fd.h"
#include "tests/support/catch.h"

using namespace claimsd;

namespace {

const SystemClock kClock;

// A pipe that captures what a log writes.
class Capture {
 public:
  Capture() {
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    out_ = Fd(ends[0]);
    in_ = Fd(ends[1]);
  }
  int fd() const { return in_.get(); }
  std::string text() {
    in_.reset();
    std::string all;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = read(out_.get(), part.data(), part.size())) > 0;) {
      all.append(part.data(), static_cast<std::size_t>(got));
    }
    return all;
  }

 private:
  Fd out_;
  Fd in_;
};

}  // namespace

TEST_CASE("a text line has time, level, event and sentence") {
  Capture capture;
  SpdlogLog log(LogStyle::kText, LogLevel::kInfo, kClock, capture.fd());
  log.info("listening", "claims socket at {}", "/run/x");
  const std::regex line(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info    listening  claims socket at /run/x\n)");
  CHECK(std::regex_match(capture.text(), line));
}

TEST_CASE("a journal line has its priority and no time") {
  Capture capture;
  SpdlogLog log(LogStyle::kJournal, LogLevel::kDebug, kClock, capture.fd());
  log.debug("a", "one");
  log.info("b", "two");
  log.warning("c", "three");
  log.error("d", "four");
  CHECK(capture.text() == "<7>a one\n<6>b two\n<4>c three\n<3>d four\n");
}

TEST_CASE("a sentence cannot create a second line or a format directive") {
  Capture capture;
  SpdlogLog log(LogStyle::kJournal, LogLevel::kInfo, kClock, capture.fd());
  log.write(LogLevel::kInfo, "ev\nent", "one\n<3>forged line\x1b[2J {} %v");
  CHECK(capture.text() == "<6>ev\\nent one\\n<3>forged line\\x1b[2J {} %v\n");
}

TEST_CASE("the level decides which lines are written, and can change") {
  Capture capture;
  SpdlogLog log(LogStyle::kJournal, LogLevel::kWarning, kClock, capture.fd());
  log.info("a", "unseen");
  log.warning("b", "seen");
  log.set_level(LogLevel::kInfo);
  log.info("c", "seen");
  log.set_level(LogLevel::kError);
  log.warning("d", "unseen");
  CHECK(capture.text() == "<4>b seen\n<6>c seen\n");
}

TEST_CASE("lines of several threads stay whole") {
  Capture capture;
  SpdlogLog log(LogStyle::kText, LogLevel::kInfo, kClock, capture.fd());
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 4; ++i) {
      writers.emplace_back([&log] {
        for (int j = 0; j < 50; ++j) log.info("event", "{}", std::string(200, 'x'));
      });
    }
  }
  const auto text = capture.text();
  const std::regex line(R"([^ ]+Z info    event  x{200})");
  std::size_t lines = 0;
  for (std::size_t at = 0; at < text.size(); ++lines) {
    const auto end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    CHECK(std::regex_match(text.substr(at, end - at), line));
    at = end + 1;
  }
  CHECK(lines == 200);
}

TEST_CASE("a log with a closed reader does not stop the daemon") {
  SpdlogLog log(LogStyle::kText, LogLevel::kInfo, kClock, -1);
  CHECK_NOTHROW(log.info("event", "sentence"));
}

TEST_CASE("the journal style applies only to the journal's own stream") {
  Capture capture;
  struct stat status {};
  REQUIRE(fstat(capture.fd(), &status) == 0);
  const auto ours = fmt::format("{}:{}", status.st_dev, status.st_ino);
  CHECK(detect_log_style(ours.c_str(), capture.fd()) == LogStyle::kJournal);
  CHECK(detect_log_style("8:12345", capture.fd()) == LogStyle::kText);
  CHECK(detect_log_style(nullptr, capture.fd()) == LogStyle::kText);
  CHECK(detect_log_style(ours.c_str(), -1) == LogStyle::kText);
}

TEST_CASE("a JSON line is one object with time, level, event, message and fields") {
  Capture capture;
  SpdlogLog log(LogStyle::kJson, LogLevel::kInfo, kClock, capture.fd());
  const std::array<LogField, 1> fields = {LogField{"trace_id", "4bf9\n2f"}};
  log.write(LogLevel::kWarning, "upstream_failed", "it said \"no\"\n{", fields);
  const std::regex line(
      R"(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"warning","event":"upstream_failed",)"
      R"("message":"it said \\"no\\"\\\\n\{","trace_id":"4bf9\\\\n2f"\}\n)");
  const std::string text = capture.text();
  INFO(text);
  CHECK(std::regex_match(text, line));
}

TEST_CASE("fields follow the sentence of a text line and cannot start a new line") {
  Capture capture;
  SpdlogLog log(LogStyle::kJournal, LogLevel::kInfo, kClock, capture.fd());
  const std::array<LogField, 2> fields = {LogField{"upstream", "main"},
                                          LogField{"trace_id", "a\n<0>b"}};
  log.write(LogLevel::kInfo, "x", "y", fields);
  CHECK(capture.text() == "<6>x y upstream=main trace_id=a\\n<0>b\n");
}

TEST_CASE("the style may change while the log is in use") {
  Capture capture;
  SpdlogLog log(LogStyle::kJson, LogLevel::kInfo, kClock, capture.fd());
  log.set_style(LogStyle::kJournal);
  log.info("a", "one");
  CHECK(capture.text() == "<6>a one\n");
}
