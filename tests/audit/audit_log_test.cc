// The log with its thread: no event is acknowledged before its record is on disk.
#include "daemon/audit/audit_log.h"

#include <algorithm>
#include <condition_variable>
#include <future>

#include "tests/audit/audit_fixture.h"

using namespace claimsd::daemon;
using namespace claimsd::daemon::testing;

namespace {

// Receives completions on the log's thread; a test can wait for a given number of them.
class Completions {
 public:
  void take(std::vector<AuditCompletion>&& more) {
    const std::lock_guard lock(mutex_);
    for (const AuditCompletion& one : more) all_.push_back(one);
    changed_.notify_all();
  }
  std::vector<AuditCompletion> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AuditCompletion> all_;
};

struct Bench {
  ScratchDirectory scratch;
  HandClock clock;
  CountingRandom random;
  NullLog quiet;
  Completions completions;
  std::mutex mutex;
  std::string anchors;

  std::unique_ptr<AuditLog> start(AuditLog::Options options = {}) {
    options.store.directory = scratch.path();
    options.store.origin = "host.example";
    AuditHooks hooks{[this](auto&& more) { completions.take(std::move(more)); },
                     [this](const std::string& line) {
                       const std::lock_guard lock(mutex);
                       anchors += line + "\n";
                     }};
    auto log = AuditLog::start(options, clock, random, quiet, std::move(hooks));
    if (!log) FAIL(log.error().message);
    return std::move(*log);
  }
};

}  // namespace

TEST_CASE("every ticket completes exactly once, after its record can be read") {
  Bench bench;
  auto log = bench.start();
  for (AuditTicket ticket = 1; ticket <= 500; ++ticket) {
    AuditRecord record = refusal_number(ticket);
    record.peer.uid = static_cast<std::uint32_t>(ticket);
    REQUIRE(log->submit(std::move(record), ticket) == AuditVerdict::kWait);
  }
  const auto done = bench.completions.wait_for(500);
  REQUIRE(done.size() == 500);
  for (std::size_t i = 0; i < done.size(); ++i) {
    CHECK(done[i].ticket == i + 1);
    CHECK(done[i].verdict == AuditVerdict::kGo);
  }
  log->finished(500);
  log.reset();
  CHECK(verified(bench.scratch.path()).events >= 500);
}

TEST_CASE("stop writes pending records and a last anchor") {
  Bench bench;
  {
    auto log = bench.start();
    for (std::uint64_t i = 0; i < 20; ++i) log->submit(denial_of(std::to_string(i)), 0);
  }
  const AuditVerification done = verified(bench.scratch.path(), read_anchors(bench.anchors));
  CHECK(sentence_of(done) == "well");
  CHECK(done.events == 20);
  CHECK(done.anchored == 20);
  CHECK(done.cannot_tell.empty());
  CHECK(read_anchors(file_text(bench.scratch / AuditSigner::kFile)).anchors.size() ==
        read_anchors(bench.anchors).anchors.size());
}

TEST_CASE("a new day has a new key, signed by the old one, which is destroyed") {
  Bench bench;
  { bench.start()->submit(denial_of("1"), 0); }
  const std::string yesterday = file_text(bench.scratch / AuditSigner::kKeyFile);
  bench.clock.advance(std::chrono::hours(24));
  { bench.start()->submit(denial_of("2"), 0); }
  const std::string text = file_text(bench.scratch / AuditSigner::kFile);
  CHECK(read_anchors(text).anchors.size() == 2);
  CHECK(read_anchors(text).problems.empty());
  for (const auto& entry : std::filesystem::directory_iterator(bench.scratch.path())) {
    CHECK(file_text(entry.path()).find(yesterday.substr(8)) == std::string::npos);
  }
  // Without the line in which yesterday's key signs it, today's key is not trusted.
  const auto key = text.rfind("claimsd-audit-key");
  std::string without = text;
  without.erase(key, text.find('\n', key) - key + 1);
  CHECK(read_anchors(without).problems.size() == 1);
}

TEST_CASE(
    "opening finds the last genuinely signed anchor among forged, oversized and truncated lines") {
  Bench bench;
  { bench.start()->submit(denial_of("1"), 0); }
  { bench.start()->submit(denial_of("2"), 0); }
  const std::string path = bench.scratch / AuditSigner::kFile;
  const std::string text = file_text(path);
  const auto furthest = read_anchors(text).anchors.back().sequence;
  const std::string last = text.substr(text.rfind("claimsd-audit-anchor"));
  constexpr std::string_view kOrigin = " host.example ";
  {
    // Forged anchors with higher sequences, an oversized line, and a line truncated by a crash.
    std::ofstream file(path, std::ios::app);
    for (int more = 1; more <= 9; ++more) {
      std::string forged = last;
      forged.insert(forged.find(kOrigin) + kOrigin.size(), std::to_string(more));
      file << forged;
    }
    file << std::string(1'000'000, 'x') << "\nclaimsd-audit-anch";
  }
  CountingRandom random;
  auto signer = AuditSigner::open(bench.scratch.path(), "host.example", random, kNoon);
  REQUIRE(signer);
  REQUIRE(signer->last_known());
  CHECK(signer->last_known()->sequence == furthest);
  CHECK_FALSE(signer->first_key_line());
  // The next entry starts on a new line.
  const auto lines = signer->sign(AuditHead{furthest + 1, {}, 2, {}}, kNoon);
  REQUIRE(lines);
  const std::string after = file_text(path);
  CHECK(after.substr(after.rfind('\n', after.size() - 2) + 1) == lines->back() + "\n");
}

TEST_CASE("dropping a segment removes its anchors from the daemon's file but keeps every key") {
  Bench bench;
  AuditLog::Options options;
  options.store.retention.age = std::chrono::days(3);
  AuditSequence dropped = 0;
  {
    auto log = bench.start(options);
    for (AuditTicket day = 1; day <= 8; ++day) {
      log->submit(denial_of("1"), day);
      bench.completions.wait_for(day);
      bench.clock.advance(std::chrono::hours(24));
      // Twice: when the second read runs, the work due after the first is done.
      for (int i = 0; i < 2; ++i) {
        std::promise<void> asked;
        log->read([&](const AuditStore& store) {
          dropped = store.head().dropped;
          asked.set_value();
        });
        asked.get_future().wait();
      }
    }
  }
  REQUIRE(dropped > 0);
  const AuditAnchors everywhere = read_anchors(bench.anchors);
  const AuditAnchors kept = read_anchors(file_text(bench.scratch / AuditSigner::kFile));
  CHECK(kept.problems.empty());
  CHECK(kept.notes.empty());
  CHECK(kept.root == everywhere.root);
  CHECK(kept.anchors.front().sequence >= dropped);
  CHECK(kept.anchors.size() < everywhere.anchors.size());
  const auto late = std::count_if(everywhere.anchors.begin(), everywhere.anchors.end(),
                                  [&](const auto& anchor) { return anchor.sequence >= dropped; });
  CHECK(kept.anchors.size() == static_cast<std::size_t>(late));
  CHECK(sentence_of(verified(bench.scratch.path(), kept)) == "well");
  CHECK(sentence_of(verified(bench.scratch.path(), everywhere)) == "well");
  CountingRandom random;
  const auto again =
      AuditSigner::open(bench.scratch.path(), "host.example", random, bench.clock.now().wall);
  REQUIRE(again);
  CHECK_FALSE(again->first_key_line());
  CHECK_FALSE(std::filesystem::exists(bench.scratch / "anchors.new"));
}

TEST_CASE("an anchor whose newline was lost in a crash still counts") {
  Bench bench;
  { bench.start()->submit(denial_of("1"), 0); }
  const std::string path = bench.scratch / AuditSigner::kFile;
  const std::string text = file_text(path);
  std::filesystem::resize_file(path, text.size() - 1);
  CountingRandom random;
  const auto signer = AuditSigner::open(bench.scratch.path(), "host.example", random, kNoon);
  REQUIRE(signer);
  REQUIRE(signer->last_known());
  CHECK(signer->last_known()->sequence == read_anchors(text).anchors.back().sequence);
  CHECK(file_text(path) == text);
}

TEST_CASE("opening a log that ends before its last anchor records a gap") {
  Bench bench;
  const ScratchDirectory old;
  { bench.start()->submit(denial_of("1"), 0); }
  for (const auto& file : segment_files(bench.scratch.path())) {
    std::filesystem::copy_file(file.path,
                               old / std::filesystem::path(file.path).filename().string());
  }
  { bench.start()->submit(denial_of("2"), 0); }
  for (const auto& file : segment_files(bench.scratch.path())) {
    std::filesystem::copy_file(old / std::filesystem::path(file.path).filename().string(),
                               file.path, std::filesystem::copy_options::overwrite_existing);
  }
  bench.clock.advance(seconds(5));
  { const auto log = bench.start(); }
  CHECK(verified(bench.scratch.path(), read_anchors(bench.anchors)).finding->kind ==
        AuditTamper::kRollback);
  std::string told;
  const AuditStore store = open_store(bench.scratch.path());
  REQUIRE(store.each_segment([&](const AuditSegmentView& view) {
    return view.each(1, [&](const AuditStoredRow& row) {
      told += audit_line(*decode_audit_record(row.record));
      return true;
    });
  }));
  CHECK(told.find("the log ended at sequence 1, its last anchor is at") != std::string::npos);
}

TEST_CASE("a running log can be read between its commits") {
  Bench bench;
  auto log = bench.start();
  REQUIRE(log->submit(denial_of("7"), 1) == AuditVerdict::kWait);
  bench.completions.wait_for(1);
  std::promise<std::uint64_t> found;
  log->read([&](const AuditStore& store) {
    std::uint64_t count = 0;
    static_cast<void>(store.each_segment([&](const AuditSegmentView& view) {
      return view.each_of_user("7", [&](AuditSequence) {
        ++count;
        return true;
      });
    }));
    found.set_value(count);
  });
  CHECK(found.get_future().get() == 1);
}

TEST_CASE("pending answers are limited until the loop has consumed their completions") {
  Bench bench;
  AuditLog::Options options;
  options.policy.max_tickets = 2;
  auto log = bench.start(options);
  CHECK(log->submit(denial_of("1"), 1) == AuditVerdict::kWait);
  bench.completions.wait_for(1);
  CHECK(log->submit(denial_of("2"), 2) == AuditVerdict::kWait);
  bench.completions.wait_for(2);
  CHECK(log->submit(denial_of("3"), 3) == AuditVerdict::kDeny);
  log->finished(2);
  CHECK(log->submit(denial_of("4"), 4) == AuditVerdict::kWait);
}

TEST_CASE(
    "a single event is anchored in time, and the record noting the anchor needs none itself") {
  Bench bench;
  AuditLog::Options options;
  options.anchor_after = seconds(60);
  const auto anchors = [&] {
    const std::lock_guard lock(bench.mutex);
    return read_anchors(bench.anchors).anchors.size();
  };
  auto log = bench.start(options);
  for (AuditTicket ticket = 1; ticket <= 2; ++ticket) {
    log->submit(denial_of("1"), ticket);
    bench.completions.wait_for(ticket);
    CHECK(anchors() == ticket - 1);
    // Query the log's thread before the minute has passed, and then until the note is written.
    bench.clock.advance(seconds(61));
    for (int i = 0; i < 1000 && log->stats().sequence < 2 * ticket; ++i) {
      std::promise<void> asked;
      log->read([&](const AuditStore&) { asked.set_value(); });
      asked.get_future().wait();
    }
    CHECK(anchors() == ticket);
    CHECK(log->stats().sequence == 2 * ticket);
  }
}
