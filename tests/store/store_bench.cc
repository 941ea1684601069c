// Measures the cost of the store: claimsd_store_bench [directory]. Prints figures for people; ./dev
// bench enforces limits.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "daemon/store/hmac_keyer.h"
#include "tests/store/store_fixture.h"

using namespace claimsd;
using namespace claimsd::store;
using namespace claimsd::store::testing;

namespace {

// CPU time of this process, because the machine may be shared: clock_gettime(2).
struct Stopwatch {
  static std::chrono::nanoseconds now() {
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  }
};

// Median over rounds of the mean microseconds per call.
template <class Work>
double cost_of(int calls, Work&& work) {
  std::array<double, 7> rounds{};
  for (double& round : rounds) {
    const auto start = Stopwatch::now();
    for (int i = 0; i < calls; ++i) work(i);
    round = std::chrono::duration<double, std::micro>(Stopwatch::now() - start).count() / calls;
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds[rounds.size() / 2];
}

void show(const char* what, double microseconds) {
  std::printf("%-44s %8.3f us\n", what, microseconds);
}

void measure_crypto() {
  SystemRandom random;
  auto keyer = HmacKeyer::create(Secret(std::string(32, 'k')), {"https://auth.example/api/me/"});
  const std::string token(800, 't');
  unsigned sink = 0;
  show("HmacKeyer::key_of, 800 bytes",
       cost_of(20'000, [&](int) { sink += keyer->key_of(0, token).bytes[0]; }));
  auto sealer = crypto::Sealer::create(Secret(std::string(32, 'k')), random);
  const std::string plain(400, 'p');
  std::string box(plain.size() + crypto::Sealer::kOverhead, '\0');
  std::string opened(plain.size(), '\0');
  const std::string bound(44, 'b');
  show("Sealer::seal, 400 bytes",
       cost_of(20'000, [&](int) { sink += sealer->seal(bound, plain, box); }));
  show("Sealer::open, 400 bytes",
       cost_of(20'000, [&](int) { sink += sealer->open(bound, box, opened); }));
  if (sink == 0) std::printf("(nothing worked)\n");
}

void measure_entries(CacheBench& bench, std::uint64_t entries) {
  std::printf("--- %llu entries of 300 bytes\n", static_cast<unsigned long long>(entries));
  const std::string claims(300, 'c');
  auto cache = bench.open();
  const auto start = Stopwatch::now();
  for (std::uint64_t i = 0; i < entries; ++i) {
    if (cache->put(key_number(i), entry_with(claims)) != claims::Stored::kStored) std::abort();
  }
  const std::chrono::duration<double, std::micro> took = Stopwatch::now() - start;
  show("put, each", took.count() / static_cast<double>(entries));
  std::uint64_t misses = 0;
  std::uint64_t at = 0;
  show("find, at random", cost_of(100'000, [&](int) {
         at = (at + 7'919) % entries;
         misses += cache->find(key_number(at)) ? 0 : 1;
       }));
  show("find, one and the same",
       cost_of(100'000, [&](int) { misses += cache->find(key_number(1)) ? 0 : 1; }));
  show("find, absent", cost_of(100'000, [&](int i) {
         misses += cache->find(key_number(entries + static_cast<std::uint64_t>(i))) ? 1 : 0;
       }));
  show("replace", cost_of(2'000, [&](int) {
         at = (at + 7'919) % entries;
         cache->put(key_number(at), entry_with(claims));
       }));
  const auto before = Stopwatch::now();
  std::size_t listed = 0;
  cache->each([&](const claims::TokenKey&, BootTime) { ++listed; });
  const std::chrono::duration<double, std::milli> walk = Stopwatch::now() - before;
  cache.reset();
  const auto closed = Stopwatch::now();
  cache = bench.open();
  const std::chrono::duration<double, std::milli> reopen = Stopwatch::now() - closed;
  std::printf("each: %.1f ms; opening again: %.1f ms; file: %.1f MiB; wrong: %llu\n", walk.count(),
              reopen.count(),
              static_cast<double>(std::filesystem::file_size(bench.data_path())) / (1 << 20),
              static_cast<unsigned long long>(misses + (listed != entries ? 1 : 0)));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) setenv("TMPDIR", argv[1], 1);
  measure_crypto();
  for (const std::uint64_t entries : {1'000U, 1'000'000U}) {
    CacheBench bench;
    bench.options.map_size = std::size_t{2} << 30;
    measure_entries(bench, entries);
  }
}
