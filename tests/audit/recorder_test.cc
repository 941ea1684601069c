#include "daemon/audit/recorder.h"

#include "tests/support/loop_runner.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::audit {
namespace {

constexpr claims::AuditTicket kAnswers = 200;

struct RecorderFixture {
  RecorderFixture() {
    Settings settings;
    settings.log.store = {.directory = directory.path(), .origin = "test"};
    settings.upstreams = {"main"};
    auto made = Recorder::create(
        settings, *Fingerprinter::create(Secret("0123456789abcdef0123456789abcdef")), *loop, clock,
        log,
        {.recorded = [this](std::span<const Completion> all, bool last) { recorded(all, last); },
         .peer = [](std::uint64_t) { return nullptr; }});
    REQUIRE(made);
    recorder = std::move(*made);
  }

  void recorded(std::span<const Completion> all, bool last) {
    CHECK(all.size() <= Recorder::kCompletionsPerIteration);
    said_last = last;
    for (const Completion& one : all) {
      CHECK(one.verdict == claims::AuditDecision::kProceed);
      tickets.push_back(one.ticket);
    }
    turns_without_others += others_waited ? 1 : 0;
    others_waited = true;
    others->notify();
  }
  claims::AuditDecision refuse(claims::AuditTicket ticket) {
    return recorder->record({.uid = 7, .token = "junk", .reason = proto::Reason::kRejected},
                            ticket);
  }

  claimsd::testing::ScratchDirectory directory;
  std::unique_ptr<loop::Loop> loop = test::new_loop();
  SystemClock clock;
  NullLog log;
  std::vector<claims::AuditTicket> tickets;
  bool said_last = false;
  bool others_waited = false;
  int turns_without_others = 0;
  std::optional<loop::Async> others;  // another event on the loop
  std::unique_ptr<Recorder> recorder;
};

TEST_CASE(
    "answers released by one commit are sent a few per iteration, in order, with other events in "
    "between") {
  RecorderFixture test;
  test.others = *loop::Async::create(*test.loop, [&] { test.others_waited = false; });
  for (claims::AuditTicket ticket = 1; ticket <= kAnswers; ++ticket)
    REQUIRE(test.refuse(ticket) == claims::AuditDecision::kPending);
  test::run_until(*test.loop, [&] { return test.tickets.size() == kAnswers; });
  for (claims::AuditTicket ticket = 1; ticket <= kAnswers; ++ticket)
    CHECK(test.tickets[ticket - 1] == ticket);
  CHECK(test.turns_without_others == 0);
  CHECK(test.said_last);
}

TEST_CASE("an operator's record is acknowledged among many answers") {
  RecorderFixture test;
  test.others = *loop::Async::create(*test.loop, [&] { test.others_waited = false; });
  std::optional<bool> acknowledged;
  for (claims::AuditTicket ticket = 1; ticket <= kAnswers; ++ticket) {
    REQUIRE(test.refuse(ticket) == claims::AuditDecision::kPending);
    if (ticket != kAnswers / 2) continue;
    test.recorder->note({.event = Event::kPurged}, [&](bool durable) {
      REQUIRE_FALSE(acknowledged);
      acknowledged = durable;
    });
    CHECK_FALSE(test.recorder->idle());
  }
  test::run_until(*test.loop, [&] { return test.tickets.size() == kAnswers && acknowledged; });
  CHECK(acknowledged == true);
  CHECK(test.recorder->idle());
}

}  // namespace
}  // namespace claimsd::audit
