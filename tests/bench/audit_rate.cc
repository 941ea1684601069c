// audit_rate: the cost of a durable audit record when many wait at once, against one transaction
// per record. Same disk, same run, in turn.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "daemon/audit/audit_log.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/scratch.h"
#include "tests/bench/stats.h"

namespace claimsd::bench {
namespace {

using namespace claimsd::daemon;

constexpr std::size_t kTogether = 20'000;  // per round
constexpr std::size_t kOneByOne = 200;
constexpr std::size_t kWaiting = 2'000;

AuditRecord denial(std::uint64_t number, const Now& now) {
  AuditRecord record;
  record.event = AuditEvent::kDenied;
  record.at = now;
  record.last = now.wall;
  // From many peers, so that neither aggregation nor the per-peer share affects the result.
  record.peer = {static_cast<std::uint32_t>(number % 997), 1000, 4711, "gunicorn"};
  record.user = fmt::format("user-{}", number);
  record.upstream = "main";
  record.method = "GET";
  record.route = "/patients/{id}/observations/";
  record.roles = "doctor";
  return record;
}

class Counter {
 public:
  void add(std::size_t more) {
    const std::lock_guard lock(mutex_);
    count_ += more;
    changed_.notify_all();
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
};

double microseconds_since(BootTime start, const Clock& clock) {
  return std::chrono::duration<double, std::micro>(clock.now().boot - start).count();
}

Figure figure_of(std::string name, const std::vector<double>& rounds) {
  return {.name = std::move(name), .value = median(rounds), .p99 = 0, .spread = spread(rounds)};
}

}  // namespace

Result<Measurement> run_audit_rate(const Bench& bench) {
  const Scratch group_disk = TRY(Scratch::on_disk());
  const Scratch single_disk = TRY(Scratch::on_disk());
  const SystemClock clock;
  SystemRandom random;
  NullLog quiet;
  Counter completed;
  AuditLog::Options options;
  options.store = {group_disk.path(""), "bench", std::size_t{1} << 30, {}};
  options.policy.max_records = 4096;
  const AuditHooks hooks{[&](auto&& all) { completed.add(all.size()); }, {}};
  const auto log = TRY(AuditLog::start(options, clock, random, quiet, hooks));
  AuditStore single = TRY(AuditStore::open(
      {single_disk.path(""), "bench", std::size_t{1} << 30, {}}, clock.now().wall));
  std::vector<double> together;
  std::vector<double> one_by_one;
  std::uint64_t number = 0;
  std::size_t finished = 0;
  for (int round = 0; round < bench.rounds && !bench.interrupt.requested(); ++round) {
    BootTime start = clock.now().boot;
    for (std::size_t i = 0; i < kTogether; ++i) {
      // As many open queries as a busy daemon may have.
      if (i >= kWaiting) completed.wait_for(finished + i - kWaiting);
      ++number;
      if (log->submit(denial(number, clock.now()), number) != AuditVerdict::kWait) {
        return failure(fmt::format("cannot write records to the disk of {}", group_disk.path("")));
      }
    }
    completed.wait_for(finished + kTogether);
    finished += kTogether;
    log->finished(kTogether);
    together.push_back(microseconds_since(start, clock) / kTogether);
    start = clock.now().boot;
    for (std::size_t i = 0; i < kOneByOne; ++i) {
      AuditRecord record = denial(++number, clock.now());
      if (single.append({&record, 1}, clock.now().wall) != AuditAppended::kDurable) {
        return failure(fmt::format("cannot write records to the disk of {}", single_disk.path("")));
      }
    }
    one_by_one.push_back(microseconds_since(start, clock) / kOneByOne);
  }
  return Measurement{.subject = figure_of("group commit", together),
                     .peers = {figure_of("one each", one_by_one)},
                     .beside = {}};
}

}  // namespace claimsd::bench
