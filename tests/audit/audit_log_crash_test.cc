// Acknowledged records survive a kill and a disk that fails at any call.
#include <cstdlib>
#include <random>

#include "daemon/audit/anchors.h"
#include "tests/audit/power_failure.h"
#include "tests/audit/writer_process.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

// To run more: CLAIMSD_AUDIT_KILLS=10000.
std::uint64_t kill_count() {
  const char* const wanted = std::getenv("CLAIMSD_AUDIT_KILLS");
  return wanted == nullptr ? 300 : std::strtoull(wanted, nullptr, 10);
}

long calls_of(const std::string& path) {
  return std::strtol(file_text(path).c_str(), nullptr, 10);
}

}  // namespace

TEST_CASE("a writer killed at any moment loses no acknowledged record") {
  const ScratchDirectory scratch;
  std::mt19937_64 dice(1);
  std::vector<claims::AuditTicket> acknowledged;
  REQUIRE(kill_count() >= 5);
  for (std::uint64_t i = 0; i < kill_count(); ++i) {
    const WriterRun run = run_writer(
        {.directory = scratch.path(), .events = 1'000'000, .kill_after = 1 + dice() % 700});
    REQUIRE_FALSE(run.crashed);
    REQUIRE_FALSE(run.acknowledged.empty());
    acknowledged.insert(acknowledged.end(), run.acknowledged.begin(), run.acknowledged.end());
    // Only five times, because each check reads the whole log.
    if ((i + 1) % (kill_count() / 5) == 0 || i + 1 == kill_count()) {
      INFO("kill " << i);
      REQUIRE(missing_from(scratch.path(), acknowledged) == 0);
      REQUIRE(sentence_of(verified(scratch.path(),
                                   read_anchors(file_text(scratch / Signer::kFile)))) == "healthy");
    }
  }
  CHECK(segment_files(scratch.path()).size() > 1);
}

TEST_CASE(
    "after any failed write or flush no acknowledged record is missing and the log continues") {
  const ScratchDirectory aside;
  const std::string count_file = aside / "calls";
  for (const char* const failures : {"1", "7"}) {
    for (long n = 1;; ++n) {
      const ScratchDirectory scratch;
      const std::string log = std::filesystem::canonical(scratch.path()).string();
      // Small segments, so that the calls for starting a new segment are covered.
      const WriterRun run = run_writer(
          {.directory = log,
           .events = 12,
           .segment_bytes = 48U << 10U,
           .one_by_one = true,
           .environment = {"WATCHED_DIRECTORY=" + log, "WATCHED_FAIL_AT=" + std::to_string(n),
                           std::string("WATCHED_FAIL_COUNT=") + failures,
                           "WATCHED_CALLS=" + count_file}});
      INFO("call " << n << ", " << failures << " times");
      REQUIRE_FALSE(run.crashed);
      REQUIRE((run.exit_status == 0 || run.exit_status == 3));
      REQUIRE(missing_from(log, run.acknowledged) == 0);
      if (run.exit_status == 0) {
        REQUIRE(run.acknowledged.size() == 12);  // it recovered
        REQUIRE(sentence_of(verified(log, read_anchors(file_text(log + "/anchors")))) == "healthy");
      }
      const long calls = calls_of(count_file);
      if (calls < n) {
        CHECK(calls > 50);
        break;
      }
    }
  }
}

TEST_CASE(
    "after a power failure at any point every acknowledged record is on disk and the log opens") {
  const ScratchDirectory scratch;
  const ScratchDirectory aside;
  const std::string log = std::filesystem::canonical(scratch.path()).string();
  const WriterRun run = run_writer(
      {.directory = log,
       .events = 20,
       .segment_bytes = 48U << 10U,
       .one_by_one = true,
       .environment = {"WATCHED_DIRECTORY=" + log, "WATCHED_TRACE=" + (aside / "trace")}});
  REQUIRE(run.exit_status == 0);
  const PowerFailure power(aside / "trace", log);
  REQUIRE(power.operations() > 100);
  REQUIRE(power.acknowledged(power.operations()).size() == 20);
  std::mt19937_64 dice(3);
  const auto check = [&](std::size_t operations, std::mt19937_64* subset) {
    const ScratchDirectory left;
    power.leave(operations, subset, left.path());
    INFO("after " << operations << " operations" << (subset != nullptr ? ", a subset" : ""));
    Store store = open_store(left.path(), 48U << 10U);
    REQUIRE_FALSE(store.damaged_at());
    REQUIRE(missing_from(left.path(), power.acknowledged(operations)) == 0);
    CountingRandom random;
    REQUIRE(Signer::open(left.path(), "host.example", random, kNoon));
    append_refusals(store, 0, 1);
    const Sequence last = store.head().sequence;
    { const Store closed = std::move(store); }
    const Verification done = verified(left.path());
    INFO(sentence_of(done));
    REQUIRE_FALSE(done.finding);
    REQUIRE(done.last == last);
  };
  for (std::size_t operations = 0; operations <= power.operations(); ++operations) {
    check(operations, nullptr);
  }
  for (int subset = 0; subset < 1000; ++subset) {
    check(dice() % (power.operations() + 1), &dice);
  }
}
