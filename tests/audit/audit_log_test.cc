// The log with its thread: no event is acknowledged before its record is on disk.
#include "daemon/audit/audit_log.h"

#include <algorithm>
#include <condition_variable>
#include <future>

#include "tests/audit/audit_fixture.h"

using namespace claimsd;
using namespace claimsd::audit;
using namespace claimsd::audit::testing;

namespace {

// Receives completions on the log's thread; a test can wait for a given number of them.
class Completions {
 public:
  void take(std::vector<Completion>&& more) {
    const std::lock_guard lock(mutex_);
    for (const Completion& one : more) all_.push_back(one);
    changed_.notify_all();
  }
  std::vector<Completion> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30), [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Completion> all_;
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
    Hooks hooks{[this](auto&& more) { completions.take(std::move(more)); },
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
  for (claims::AuditTicket ticket = 1; ticket <= 500; ++ticket) {
    Record record = refusal_number(ticket);
    record.peer.uid = static_cast<std::uint32_t>(ticket);
    REQUIRE(log->submit(std::move(record), ticket) == claims::AuditDecision::kPending);
  }
  const auto done = bench.completions.wait_for(500);
  REQUIRE(done.size() == 500);
  for (std::size_t i = 0; i < done.size(); ++i) {
    CHECK(done[i].ticket == i + 1);
    CHECK(done[i].verdict == claims::AuditDecision::kProceed);
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
  const Verification done = verified(bench.scratch.path(), read_anchors(bench.anchors));
  CHECK(sentence_of(done) == "healthy");
  CHECK(done.events == 20);
  CHECK(done.anchored == 20);
  CHECK(done.cannot_tell.empty());
  CHECK(read_anchors(file_text(bench.scratch / Signer::kFile)).anchors.size() ==
        read_anchors(bench.anchors).anchors.size());
}

TEST_CASE("a new day has a new key, signed by the old one, which is destroyed") {
  Bench bench;
  { bench.start()->submit(denial_of("1"), 0); }
  const std::string yesterday = file_text(bench.scratch / Signer::kKeyFile);
  bench.clock.advance(std::chrono::hours(24));
  { bench.start()->submit(denial_of("2"), 0); }
  const std::string text = file_text(bench.scratch / Signer::kFile);
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
  const std::string path = bench.scratch / Signer::kFile;
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
  auto signer = Signer::open(bench.scratch.path(), "host.example", random, kNoon);
  REQUIRE(signer);
  REQUIRE(signer->last_known());
  CHECK(signer->last_known()->sequence == furthest);
  CHECK_FALSE(signer->first_key_line());
  // The next entry starts on a new line.
  const auto lines = signer->sign(Head{furthest + 1, {}, 2, {}}, kNoon);
  REQUIRE(lines);
  const std::string after = file_text(path);
  CHECK(after.substr(after.rfind('\n', after.size() - 2) + 1) == lines->back() + "\n");
}

namespace {

// Waits until the work due before a read is done: when the second runs, that of the first is.
std::size_t segments_of(AuditLog& log) {
  std::size_t segments = 0;
  for (int i = 0; i < 2; ++i) {
    std::promise<void> asked;
    log.read([&](const Store& store) {
      segments = store.segments().size();
      asked.set_value();
    });
    asked.get_future().wait();
  }
  return segments;
}

}  // namespace

TEST_CASE("a wall clock that is years ahead for some seconds deletes no segment and is reported") {
  Bench bench;
  AuditLog::Options options;
  options.store.retention.age = std::chrono::days(365 * 6);
  auto log = bench.start(options);
  claims::AuditTicket ticket = 0;
  for (int day = 0; day < 4; ++day) {
    log->submit(denial_of("1"), ++ticket);
    bench.completions.wait_for(ticket);
    bench.clock.advance(std::chrono::hours(24));
  }
  const std::size_t before = segments_of(*log);
  REQUIRE(before >= 4);
  for (const std::int64_t years : {7, -7}) {
    bench.clock.set_wall_by(std::chrono::hours(24 * 365 * years));
    CHECK(segments_of(*log) >= before);
    log->submit(denial_of("2"), ++ticket);
    bench.completions.wait_for(ticket);
    bench.clock.advance(seconds(3));
    CHECK(segments_of(*log) >= before);
  }
  const Stats stats = log->stats();
  CHECK(stats.counters.audit_clock_jumps == 2);
  CHECK(stats.clock_jumped.has_value());
  log->submit(denial_of("3"), ++ticket);
  bench.completions.wait_for(ticket);
  log.reset();
  CHECK(sentence_of(verified(bench.scratch.path())) == "healthy");
}

TEST_CASE("deleting records for their size before their time is counted and reported") {
  Bench bench;
  AuditLog::Options options;
  options.store.segment_bytes = 64 << 10;
  options.store.retention = {std::chrono::days(365), 256 << 10};
  options.policy.max_distinct = 1000;
  options.policy.max_distinct_a_second = 1'000'000;
  auto log = bench.start(options);
  claims::AuditTicket ticket = 0;
  while (log->stats().counters.audit_dropped_early == 0 && ticket < 20'000) {
    for (int i = 0; i < 200; ++i) {
      ++ticket;
      log->submit(denial_of(std::to_string(ticket)), ticket);
    }
    bench.completions.wait_for(ticket);
    log->finished(200);
  }
  CHECK(log->stats().counters.audit_dropped_early > 0);
  CHECK(log->stats().dropped_early.has_value());
}

TEST_CASE("dropping a segment removes its anchors from the daemon's file but keeps every key") {
  Bench bench;
  AuditLog::Options options;
  options.store.retention.age = std::chrono::days(3);
  Sequence dropped = 0;
  {
    auto log = bench.start(options);
    for (claims::AuditTicket day = 1; day <= 8; ++day) {
      log->submit(denial_of("1"), day);
      bench.completions.wait_for(day);
      bench.clock.advance(std::chrono::hours(24));
      // Twice: when the second read runs, the work due after the first is done.
      for (int i = 0; i < 2; ++i) {
        std::promise<void> asked;
        log->read([&](const Store& store) {
          dropped = store.head().dropped;
          asked.set_value();
        });
        asked.get_future().wait();
      }
    }
  }
  REQUIRE(dropped > 0);
  const Anchors everywhere = read_anchors(bench.anchors);
  const Anchors kept = read_anchors(file_text(bench.scratch / Signer::kFile));
  CHECK(kept.problems.empty());
  CHECK(kept.notes.empty());
  CHECK(kept.root == everywhere.root);
  CHECK(kept.anchors.front().sequence >= dropped);
  CHECK(kept.anchors.size() < everywhere.anchors.size());
  const auto late = std::count_if(everywhere.anchors.begin(), everywhere.anchors.end(),
                                  [&](const auto& anchor) { return anchor.sequence >= dropped; });
  CHECK(kept.anchors.size() == static_cast<std::size_t>(late));
  CHECK(sentence_of(verified(bench.scratch.path(), kept)) == "healthy");
  CHECK(sentence_of(verified(bench.scratch.path(), everywhere)) == "healthy");
  CountingRandom random;
  const auto again =
      Signer::open(bench.scratch.path(), "host.example", random, bench.clock.now().wall);
  REQUIRE(again);
  CHECK_FALSE(again->first_key_line());
  CHECK_FALSE(std::filesystem::exists(bench.scratch / "anchors.new"));
}

TEST_CASE("an anchor whose newline was lost in a crash still counts") {
  Bench bench;
  { bench.start()->submit(denial_of("1"), 0); }
  const std::string path = bench.scratch / Signer::kFile;
  const std::string text = file_text(path);
  std::filesystem::resize_file(path, text.size() - 1);
  CountingRandom random;
  auto signer = Signer::open(bench.scratch.path(), "host.example", random, kNoon);
  REQUIRE(signer);
  REQUIRE(signer->last_known());
  CHECK(signer->last_known()->sequence == read_anchors(text).anchors.back().sequence);
  // The next anchor begins a line of its own.
  REQUIRE(signer->sign({.sequence = 7}, kNoon));
  CHECK(file_text(path).starts_with(text));
  const Anchors found = read_anchors(file_text(path));
  CHECK(found.problems.empty());
  CHECK(found.anchors.back().sequence == 7);
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
        Tamper::kRollback);
  std::string lines;
  const Store store = open_store(bench.scratch.path());
  REQUIRE(store.each_segment([&](const SegmentView& view) {
    return view.each(1, [&](const StoredRow& row) {
      lines += audit_line(*decode_audit_record(row.record));
      return true;
    });
  }));
  CHECK(lines.find("the log ended at sequence 1, its last anchor is at") != std::string::npos);
}

TEST_CASE("a running log can be read between its commits") {
  Bench bench;
  auto log = bench.start();
  REQUIRE(log->submit(denial_of("7"), 1) == claims::AuditDecision::kPending);
  bench.completions.wait_for(1);
  std::promise<std::uint64_t> found;
  log->read([&](const Store& store) {
    std::uint64_t count = 0;
    static_cast<void>(store.each_segment([&](const SegmentView& view) {
      return view.each_of_user("7", [&](Sequence) {
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
  CHECK(log->submit(denial_of("1"), 1) == claims::AuditDecision::kPending);
  bench.completions.wait_for(1);
  CHECK(log->submit(denial_of("2"), 2) == claims::AuditDecision::kPending);
  bench.completions.wait_for(2);
  CHECK(log->submit(denial_of("3"), 3) == claims::AuditDecision::kUnavailable);
  log->finished(2);
  CHECK(log->submit(denial_of("4"), 4) == claims::AuditDecision::kPending);
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
  for (claims::AuditTicket ticket = 1; ticket <= 2; ++ticket) {
    log->submit(denial_of("1"), ticket);
    bench.completions.wait_for(ticket);
    CHECK(anchors() == ticket - 1);
    // Query the log's thread before the minute has passed, and then until the note is written.
    bench.clock.advance(seconds(61));
    for (int i = 0; i < 1000 && log->stats().sequence < 2 * ticket; ++i) {
      std::promise<void> asked;
      log->read([&](const Store&) { asked.set_value(); });
      asked.get_future().wait();
    }
    CHECK(anchors() == ticket);
    CHECK(log->stats().sequence == 2 * ticket);
  }
}
