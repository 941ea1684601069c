// audit_bench DIRECTORY [RECORDS]: by hand: prints figures, and judges none. What search by user
// costs against a scan, and verification against hashing the same bytes, over a million records.
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "daemon/audit/audit_store.h"
#include "daemon/audit/search.h"
#include "daemon/audit/verify.h"
#include "daemon/base/clock.h"

using namespace claimsd::daemon;

namespace {

double seconds_of(const std::function<void()>& work) {
  const SystemClock clock;
  const BootTime start = clock.now().boot;
  work();
  return std::chrono::duration<double>(clock.now().boot - start).count();
}

AuditRecord denial(std::uint64_t number) {
  AuditRecord record;
  record.event = AuditEvent::kDenied;
  record.at = {BootTime(Duration(static_cast<std::int64_t>(number))),
               WallTime(std::chrono::days(20000))};
  record.last = record.at.wall;
  record.peer = {1000, 1000, 4711, "gunicorn"};
  record.user = fmt::format("user-{}", number % 100'000);
  record.upstream = "main";
  record.method = "GET";
  record.route = "/patients/{id}/observations/";
  record.roles = "doctor nurse";
  return record;
}

void write_log(const std::string& directory, std::uint64_t records) {
  auto store = AuditStore::open({directory, "bench", std::size_t{64} << 20, {}},
                                WallTime(std::chrono::days(20000)));
  std::vector<AuditRecord> batch;
  for (std::uint64_t i = 0; i < records; ++i) {
    batch.push_back(denial(i));
    if (batch.size() < 4000 && i + 1 < records) continue;
    if (store->append(batch, WallTime(std::chrono::days(20000))) != AuditAppended::kDurable)
      std::abort();
    batch.clear();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::string directory = argv[1];
  const std::uint64_t records = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  std::filesystem::create_directories(directory);
  if (list_segments(directory)->empty()) {
    fmt::print("writing {} records: {:.1f} s\n", records,
               seconds_of([&] { write_log(directory, records); }));
  }
  const auto reader = AuditReader::open(directory);
  AuditQuery query;
  query.user = "user-4242";
  std::uint64_t found = 0;
  const auto count = [&](const AuditRecord&) {
    ++found;
    return true;
  };
  const double search = seconds_of([&] { static_cast<void>(reader->search(query, count)); });
  AuditQuery scan;
  std::uint64_t scanned = 0;
  const double scan_time = seconds_of([&] {
    static_cast<void>(reader->search(scan, [&](const AuditRecord& record) {
      if (record.user == *query.user) ++scanned;
      return true;
    }));
  });
  fmt::print(
      "search by user: {:.2f} ms for {} records; scan: {:.0f} ms for {}; {:.0f} times faster\n",
      search * 1e3, found, scan_time * 1e3, scanned, scan_time / search);
  std::uint64_t bytes = 0;
  const double verify = seconds_of([&] { bytes = verify_audit({.directory = directory})->bytes; });
  auto hasher = AuditHasher::create();
  const std::string like(bytes / records, 'x');
  AuditLink link{};
  const double hash = seconds_of([&] {
    for (std::uint64_t i = 0; i < records; ++i) link = hasher->next(link, like);
  });
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  fmt::print("verify: {:.0f} ms; hashing {} bytes as records: {:.0f} ms; {:.2f} times\n",
             verify * 1e3, bytes, hash * 1e3, verify / hash);
  fmt::print("resident at most: {} MiB, the files' pages included\n", used.ru_maxrss / 1024);
  return link == AuditLink{} ? 1 : 0;
}
