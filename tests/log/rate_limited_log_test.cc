// Frequent log events.
#include "daemon/log/rate_limited_log.h"

#include <vector>

#include "tests/support/catch.h"

using namespace claimsd;
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

struct RateLimited {
  HandClock clock;
  Lines lines;
  RateLimitedLog log{lines, clock,
                     [](std::string_view event) { return event.starts_with("often"); }};
  void write(std::string_view event, int times) {
    for (int i = 0; i < times; ++i) log.warning(event, "x");
  }
};

}  // namespace

TEST_CASE(
    "ten lines of an event pass, and later ones are counted and reported when the window ends") {
  RateLimited rate_limited;
  rate_limited.write("often", 25);
  CHECK(rate_limited.lines.all.size() == 10);
  rate_limited.clock.advance(9s);
  rate_limited.write("often", 5);
  CHECK(rate_limited.lines.all.size() == 10);
  rate_limited.clock.advance(1s);
  rate_limited.write("often", 1);
  REQUIRE(rate_limited.lines.all.size() == 12);
  CHECK(rate_limited.lines.all[10] == "suppressed: suppressed 20 more lines of often in 10 s");
  CHECK(rate_limited.lines.all[11] == "often: x");
}

TEST_CASE("the count is reported once, with the next line of any event") {
  RateLimited rate_limited;
  rate_limited.write("often", 11);
  rate_limited.clock.advance(10s);
  rate_limited.write("stopping", 1);
  REQUIRE(rate_limited.lines.all.size() == 12);
  CHECK(rate_limited.lines.all[10].starts_with("suppressed: suppressed 1 more"));
  rate_limited.write("stopped", 1);
  CHECK(rate_limited.lines.all.size() == 13);
}

TEST_CASE("events have separate limits, and unlimited events always pass") {
  RateLimited rate_limited;
  rate_limited.write("often", 100);
  rate_limited.write("often_too", 3);
  rate_limited.write("started", 100);
  CHECK(rate_limited.lines.all.size() == 10 + 3 + 100);
}
