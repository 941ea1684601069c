// audit_search, audit_verify and audit_memory: the cost of examining a log of a million records of
// a hundred thousand users. The log is on a disk, and in the page cache after the first round.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <vector>

#include "daemon/audit/audit_store.h"
#include "daemon/audit/search.h"
#include "daemon/audit/verify.h"
#include "tests/bench/benchmarks.h"
#include "tests/bench/process.h"
#include "tests/bench/scratch.h"
#include "tests/bench/stats.h"

namespace claimsd::bench {
namespace {

using namespace claimsd;
using namespace claimsd::audit;

constexpr std::uint64_t kMillion = 1'000'000;
constexpr std::uint64_t kThousand = 1'000;
constexpr std::uint64_t kPerUser = 10;
constexpr std::size_t kPerCommit = 4'000;
constexpr int kRounds = 3;  // each reads a million records more than once
constexpr WallTime kDay{std::chrono::hours(24 * 20'000)};

Record denial(std::uint64_t number, std::uint64_t users) {
  Record record;
  record.event = Event::kDenied;
  record.at = {BootTime(Duration(static_cast<std::int64_t>(number))), kDay};
  record.last = kDay;
  record.peer = {1000, 1000, 4711, "gunicorn"};
  record.user = fmt::format("user-{}", number % users);
  record.upstream = "main";
  record.method = "GET";
  record.route = "/patients/{id}/observations/";
  record.roles = "doctor nurse";
  return record;
}

Status write_log(const std::string& directory, std::uint64_t records, Interrupt& interrupt) {
  Store store = TRY(Store::open({directory, "bench", std::size_t{64} << 20, {}}, kDay));
  std::vector<Record> batch;
  for (std::uint64_t i = 0; i < records; ++i) {
    batch.push_back(denial(i, records / kPerUser));
    if (batch.size() < kPerCommit && i + 1 < records) continue;
    if (interrupt.requested()) return failure("interrupted");
    if (store.append(batch, kDay) != Appended::kDurable)
      return failure(fmt::format("cannot write records to the disk of {}", directory));
    batch.clear();
  }
  return {};
}

// A log in its own directory.
Result<Scratch> log_of(std::uint64_t records, Interrupt& interrupt) {
  Scratch disk = TRY(Scratch::on_disk());
  TRY(write_log(disk.path(""), records, interrupt));
  return disk;
}

// The number of records of a user, found by the index or by a full scan.
Result<std::uint64_t> count_of_user(const Reader& reader, const std::string& user, bool all) {
  SearchFilter query;
  if (!all) query.user = user;
  std::uint64_t found = 0;
  TRY(reader.search(query, [&](const Record& record) {
    if (record.user == user) ++found;
    return true;
  }));
  if (found == kPerUser) return found;
  return failure(fmt::format("found {} records of {} instead of {}", found, user, kPerUser));
}

template <class Work>
Result<double> microseconds_of(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  TRY(work());
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
      .count();
}

Result<std::uint64_t> bytes_verified(const std::string& directory) {
  VerifyOptions options;
  options.directory = directory;
  const Verification done = TRY(verify_audit(options));
  if (done.finding || done.records != kMillion)
    return failure("the verification of the log failed");
  return done.bytes;
}

// Hashes like the chain: record by record, each with the previous link.
Status hash_records(Hasher& hasher, std::size_t size) {
  const std::string record(size, 'x');
  Link link{};
  for (std::uint64_t i = 0; i < kMillion; ++i) link = hasher.next(link, record);
  return link == Link{} ? failure("the hash is not one") : Status();
}

Figure figure_of(std::string name, const std::vector<double>& rounds) {
  return {.name = std::move(name), .value = median(rounds), .p99 = 0, .spread = spread(rounds)};
}

// Peak memory of a child that verifies the log and then searches it.
Result<double> memory_to_examine(const std::string& directory) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure("cannot create a pipe");
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const Process child = TRY(Process::fork_off("examiner", [&] {
    std::uint64_t most = 0;
    const auto look = [&] { most = std::max(most, private_memory_kib(::getpid())); };
    VerifyOptions options;
    options.directory = directory;
    options.progress = [&](Sequence, double) { look(); };
    const auto verified = verify_audit(options);
    look();
    const auto reader = Reader::open(directory);
    std::uint64_t seen = 0;
    const bool searched = reader && reader->search({}, [&](const Record&) {
      if (++seen % 10'000 == 0) look();
      return true;
    });
    look();
    const bool well = verified && !verified->finding && searched;
    if (!well) most = 0;
    return ::write(writing.get(), &most, sizeof most) == sizeof most ? 0 : 1;
  }));
  writing.reset();
  std::uint64_t most = 0;
  if (::read(reading.get(), &most, sizeof most) != sizeof most || most == 0)
    return failure(fmt::format("cannot examine the log in {}", directory));
  return static_cast<double>(most);
}

}  // namespace

Result<Measurement> run_audit_search(const Bench& bench) {
  const Scratch disk = TRY(log_of(kMillion, bench.interrupt));
  const Reader reader = TRY(Reader::open(disk.path("")));
  std::vector<double> searches;
  std::vector<double> scans;
  for (int round = 0; round < kRounds; ++round) {
    const std::string user = fmt::format("user-{}", 4242 + round);
    searches.push_back(TRY(microseconds_of([&] { return count_of_user(reader, user, false); })));
    scans.push_back(TRY(microseconds_of([&] { return count_of_user(reader, user, true); })));
    if (bench.interrupt.requested()) return failure("interrupted");
  }
  return Measurement{
      .subject = figure_of("by user", searches), .peers = {figure_of("scan", scans)}, .beside = {}};
}

Result<Measurement> run_audit_verify(const Bench& bench) {
  const Scratch disk = TRY(log_of(kMillion, bench.interrupt));
  Hasher hasher = TRY(Hasher::create());
  std::uint64_t bytes = 0;
  const auto verify = [&] { return bytes_verified(disk.path("")).map([&](auto n) { bytes = n; }); };
  const auto hash = [&] { return hash_records(hasher, bytes / kMillion); };
  std::vector<double> verifications;
  std::vector<double> hashes;
  for (int round = 0; round < kRounds; ++round) {
    verifications.push_back(TRY(microseconds_of(verify)));
    hashes.push_back(TRY(microseconds_of(hash)));
    if (bench.interrupt.requested()) return failure("interrupted");
  }
  return Measurement{.subject = figure_of("verify", verifications),
                     .peers = {figure_of("hash", hashes)},
                     .beside = {}};
}

Result<Measurement> run_audit_memory(const Bench& bench) {
  const Scratch many = TRY(log_of(kMillion, bench.interrupt));
  const Scratch few = TRY(log_of(kThousand, bench.interrupt));
  std::vector<double> of_many;
  std::vector<double> of_few;
  for (int round = 0; round < kRounds; ++round) {
    of_many.push_back(TRY(memory_to_examine(many.path(""))));
    of_few.push_back(TRY(memory_to_examine(few.path(""))));
  }
  return Measurement{.subject = figure_of("million", of_many),
                     .peers = {figure_of("thousand", of_few)},
                     .beside = {}};
}

}  // namespace claimsd::bench
