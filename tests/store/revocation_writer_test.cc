// What an operator ordered becomes durable by itself once the disk works again.
#include "daemon/store/revocation_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/store/head_copy.h"
#include "tests/store/store_fixture.h"
#include "tests/support/loop_runner.h"

namespace claimsd::store::testing {
namespace {

using namespace std::chrono_literals;
using test::run_until;

struct Bench {
  ScratchDirectory directory;
  SystemRandom random;
  SystemClock clock;
  NullLog log;
  std::string path = directory / "revocations";
  std::string copy = directory / "head";
  std::unique_ptr<loop::Loop> loop = test::new_loop();
  claims::SetHead head;
  std::unique_ptr<RevocationWriter> writer;

  std::unique_ptr<RevocationFile> open() {
    const Result<Secret> key = load_revocation_key(path, random);
    REQUIRE(key);
    auto file = RevocationFile::open({.directory = path, .boot_id = "boot", .head_copy = copy},
                                     *key, clock.now());
    REQUIRE(file);
    return std::move(*file);
  }
  void start(Duration patience = 10s) {
    auto made = RevocationWriter::create(
        open(), *loop, clock, log,
        {.patience = patience, .retry = 20ms, .on_head = [this](const claims::SetHead& now) {
           head = now;
         }});
    REQUIRE(made);
    writer = std::move(*made);
  }
  claims::RevocationChange adding(std::uint8_t number) {
    claims::Rule rule{.name = {claims::RuleKind::kToken, {}},
                      .made_at = clock.now(),
                      .ends = claims::end_after(clock.now(), 1h)};
    rule.key.action.bytes[0] = number;
    return {.rules = {rule}};
  }
};

}  // namespace

TEST_CASE("a change is reported as durable after its head is, with the copy up to date") {
  Bench bench;
  bench.start();
  std::optional<bool> durable;
  std::uint64_t sequence = 0;
  bench.writer->write(bench.adding(1), [&](bool is) {
    durable = is;
    sequence = bench.head.sequence;
  });
  CHECK(bench.writer->backlog().changes == 1);
  run_until(*bench.loop, [&] { return durable.has_value(); });
  CHECK(*durable);
  CHECK(sequence == 1);
  CHECK(bench.writer->idle());
  CHECK(bench.writer->backlog().changes == 0);
  const auto copied = read_head_copy(bench.copy);
  REQUIRE(copied);
  CHECK(**copied == bench.head);
}

TEST_CASE("on a full disk a change is reported once, kept, and durable when there is space") {
  Bench bench;
  bench.start();
  int reports = 0;
  bool durable = true;
  {
    const FullDisk full(0);
    bench.writer->write(bench.adding(1), [&](bool is) {
      ++reports;
      durable = is;
    });
    run_until(*bench.loop, [&] { return reports > 0; });
    CHECK_FALSE(durable);
    bench.writer->write(bench.adding(2), {});
    run_until(*bench.loop, [&] { return bench.writer->backlog().changes == 2; });
    CHECK_FALSE(bench.writer->backlog().error.empty());
    CHECK_FALSE(bench.writer->idle());
  }
  run_until(*bench.loop, [&] { return bench.writer->idle(); });
  CHECK(reports == 1);
  CHECK(bench.writer->backlog().error.empty());
  bench.writer.reset();
  CHECK(bench.open()->rules().size() == 2);
}

TEST_CASE("a change that the disk has not confirmed in time is reported as not durable yet") {
  Bench bench;
  bench.start(30ms);
  // Opening a FIFO for writing blocks until there is a reader: a disk that does not answer.
  const std::string blocked = bench.copy + ".new";
  REQUIRE(mkfifo(blocked.c_str(), 0600) == 0);
  std::optional<bool> durable;
  bench.writer->write(bench.adding(1), [&](bool is) { durable = is; });
  run_until(*bench.loop, [&] { return durable.has_value(); });
  CHECK_FALSE(*durable);
  CHECK(bench.writer->backlog().changes == 1);
  CHECK(bench.writer->backlog().age >= 30ms);
  const int reader = open(blocked.c_str(), O_RDONLY | O_CLOEXEC);
  run_until(*bench.loop, [&] { return bench.writer->idle(); });
  close(reader);
  bench.writer.reset();
  CHECK(bench.open()->rules().size() == 1);
}

TEST_CASE("the last changes are written when the daemon stops") {
  Bench bench;
  bench.start();
  bench.writer->write(bench.adding(1), [](bool) { FAIL("called after the writer is gone"); });
  bench.writer.reset();
  CHECK(bench.open()->rules().size() == 1);
}

}  // namespace claimsd::store::testing
