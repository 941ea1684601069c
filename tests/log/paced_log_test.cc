// Frequent log events.
#include "daemon/log/paced_log.h"

#include <vector>

#include "tests/support/catch.h"

using namespace claimsd::daemon;
using namespace std::chrono_literals;

namespace {

class HandClock final : public Clock {
 public:
  Now now() const override { return now_; }
  void advance(Duration by) { now_.boot += by; }

 private:
  Now now_{};
};

class Lines final : public Log {
 public:
  using Log::write;
  void write(LogLevel, std::string_view event, std::string_view sentence, LogFields) override {
    all.push_back(std::string(event) + ": " + std::string(sentence));
  }
  std::vector<std::string> all;
};

struct Paced {
  HandClock clock;
  Lines lines;
  PacedLog log{lines, clock, [](std::string_view event) { return event.starts_with("often"); }};
  void write(std::string_view event, int times) {
    for (int i = 0; i < times; ++i) log.warning(event, "x");
  }
};

}  // namespace

TEST_CASE(
    "ten lines of an event pass, and later ones are counted and reported when the window ends") {
  Paced paced;
  paced.write("often", 25);
  CHECK(paced.lines.all.size() == 10);
  paced.clock.advance(9s);
  paced.write("often", 5);
  CHECK(paced.lines.all.size() == 10);
  paced.clock.advance(1s);
  paced.write("often", 1);
  REQUIRE(paced.lines.all.size() == 12);
  CHECK(paced.lines.all[10] == "left_out: suppressed 20 more lines of often in 10 s");
  CHECK(paced.lines.all[11] == "often: x");
}

TEST_CASE("the count is reported once, with the next line of any event") {
  Paced paced;
  paced.write("often", 11);
  paced.clock.advance(10s);
  paced.write("stopping", 1);
  REQUIRE(paced.lines.all.size() == 12);
  CHECK(paced.lines.all[10].starts_with("left_out: suppressed 1 more"));
  paced.write("stopped", 1);
  CHECK(paced.lines.all.size() == 13);
}

TEST_CASE("events have separate limits, and unlimited events always pass") {
  Paced paced;
  paced.write("often", 100);
  paced.write("often_too", 3);
  paced.write("started", 100);
  CHECK(paced.lines.all.size() == 10 + 3 + 100);
}
