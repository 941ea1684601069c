// Threads that look up while the daemon writes, and while one daemon follows another.
#include "tests/client/map_host.h"
#include "tests/support/catch.h"

namespace claimsd::testing {
namespace {

constexpr int kTokens = 4;

// Claims of which every part says the same number: a torn answer contradicts itself.
std::string numbered_claims(int number) {
  const std::string text = std::to_string(100'000 + number);
  return claims_block(text, text + "@b.example", {text, text}, "{\"id\":" + text + "}");
}

bool is_whole(const Answer& answer) {
  const std::string id(answer.claims().id());
  return answer.claims().email() == id + "@b.example" && answer.claims().has_role(id) &&
         answer.claims().json() == "{\"id\":" + id + "}";
}

struct Readers {
  Readers(MapHost& host, int count) {
    for (int i = 0; i < count; ++i) threads.emplace_back([this, &host, i] { read(host, i); });
  }
  ~Readers() {
    stop = true;
    for (std::thread& thread : threads) thread.join();
  }

  void read(MapHost& host, int number) {
    for (int i = number; !stop; ++i) {
      const Answer answer = host.client.query(long_token(i % kTokens));
      // Restarts follow each other here within milliseconds: two may hit one question.
      if (!answer.valid() && answer.reason() != "disconnected") ++refused;
      if (!answer.valid() || answer.source() == Source::kCache) continue;
      if (is_whole(answer)) {
        ++hits;
      } else {
        ++torn;
      }
    }
  }

  std::atomic<bool> stop = false;
  std::atomic<int> hits = 0;
  std::atomic<int> torn = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
};

TEST_CASE("no answer is torn while the daemon rewrites the leases that are read") {
  const std::uint32_t flags = GENERATE(0u, CLAIMSD_NO_LOCAL_TABLE);
  MapHost host({.flags = flags});
  host.meet();
  for (int i = 0; i < kTokens; ++i) host.map->publish(long_token(i), numbered_claims(i));
  Readers readers(host, 3);
  for (int i = 0; i < 5000 || readers.hits < 2000; ++i) {
    host.map->publish(long_token(i % kTokens), numbered_claims(i));
    host.map->beat();
  }
  CHECK(readers.torn == 0);
  CHECK(readers.refused == 0);
}

TEST_CASE("threads go on while one daemon follows another") {
  MapHost host;
  host.meet();
  Readers readers(host, 3);
  for (int restart = 0; restart < 60; ++restart) {
    // Maps of several sizes: in the old one's place and in another.
    auto next =
        std::make_unique<MapWriter>(MapOptions{.slots = proto::kMinSlots << (restart / 8 % 4)});
    for (int i = 0; i < kTokens; ++i) {
      next->publish(long_token(i), numbered_claims(restart * kTokens + i));
    }
    const std::uint64_t maps = host.client.statistics().maps;
    host.restart(std::move(next));
    // The old map's heartbeat expires later, so a query over the socket has to fetch the new map.
    while (host.client.statistics().maps == maps) host.meet();
    const int hits = readers.hits;
    while (readers.hits < hits + 100) host.map->beat();
  }
  CHECK(readers.torn == 0);
  CHECK(readers.refused == 0);
  CHECK(host.client.statistics().maps >= 61);
}

}  // namespace
}  // namespace claimsd::testing
