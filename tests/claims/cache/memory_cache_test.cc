#include "daemon/claims/cache/memory_cache.h"

#include "tests/support/catch.h"
#include "tests/support/service_harness.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace claimsd::testing;
using namespace std::chrono_literals;
using proto::Reason;
using proto::Source;

namespace {

constexpr Now kNow{BootTime(1000s), WallTime(1'000'000s)};

Entry entry_of(std::string_view claims, Duration ttl = 60s, WallTime expires = WallTime::max()) {
  return Entry{.confirmed_at = kNow.boot,
               .fresh_until = kNow.boot + ttl,
               .expires_at = expires,
               .claims = claims};
}

struct Opened {
  SeededRandom random{1};
  MemoryCache memory_cache{64, random};
};

// Puts `token` into the in-memory cache: confirms it and finds it in the store twice.
void warm(ServiceHarness& world, std::string_view token) {
  world.query_and_complete(token, status(200));
  for (int hits = 0; hits < 2; ++hits)
    REQUIRE(world.query_now(token).answer.source == Source::kCache);
}

}  // namespace

TEST_CASE("an in-memory entry is found by its whole token and Auth API") {
  Opened opened;
  MemoryCache& memory_cache = opened.memory_cache;
  const std::string tail(100, 't');  // the hashed part is the same for all
  memory_cache.put(0, "a" + tail, numbered_key(1), entry_of("claims a"));
  memory_cache.put(0, "b" + tail, numbered_key(2), entry_of("claims b"));
  REQUIRE(memory_cache.find(0, "a" + tail) != nullptr);
  CHECK(memory_cache.find(0, "a" + tail)->entry.claims == "claims a");
  CHECK(memory_cache.find(0, "a" + tail)->key == numbered_key(1));
  CHECK(memory_cache.find(0, "b" + tail)->entry.claims == "claims b");
  CHECK(memory_cache.find(0, "c" + tail) == nullptr);
  CHECK(memory_cache.find(0, tail) == nullptr);
  CHECK(memory_cache.find(1, "a" + tail) == nullptr);
  CHECK(memory_cache.find(0, "") == nullptr);
}

TEST_CASE("an in-memory entry owns a copy of its claims") {
  Opened opened;
  std::string claims = "claims";
  opened.memory_cache.put(0, "token", numbered_key(1), entry_of(claims));
  claims.assign(claims.size(), 'x');
  CHECK(opened.memory_cache.find(0, "token")->entry.claims == "claims");
}

TEST_CASE("an erased or replaced in-memory entry is gone") {
  Opened opened;
  MemoryCache& memory_cache = opened.memory_cache;
  memory_cache.put(0, "token", numbered_key(1), entry_of("old"));
  memory_cache.put(0, "token", numbered_key(1), entry_of("new"));
  CHECK(memory_cache.find(0, "token")->entry.claims == "new");
  memory_cache.erase(numbered_key(2));
  CHECK(memory_cache.find(0, "token") != nullptr);
  memory_cache.erase(numbered_key(1));
  CHECK(memory_cache.find(0, "token") == nullptr);
  CHECK(memory_cache.empty());
}

TEST_CASE("a sweep removes entries that have expired on either clock, and no others") {
  Opened opened;
  MemoryCache& memory_cache = opened.memory_cache;
  memory_cache.put(0, "ended", numbered_key(1), entry_of("c", 10s));
  memory_cache.put(0, "expired", numbered_key(2), entry_of("c", 60s, kNow.wall + 10s));
  memory_cache.put(0, "lives", numbered_key(3), entry_of("c", 60s, kNow.wall + 60s));
  memory_cache.sweep({kNow.boot + 10s - 1ns, kNow.wall + 10s - 1ns});
  CHECK(memory_cache.find(0, "ended") != nullptr);
  CHECK(memory_cache.find(0, "expired") != nullptr);
  memory_cache.sweep({kNow.boot + 10s, kNow.wall + 10s});
  CHECK(memory_cache.find(0, "ended") == nullptr);
  CHECK(memory_cache.find(0, "expired") == nullptr);
  CHECK(memory_cache.find(0, "lives") != nullptr);
}

TEST_CASE("the in-memory cache is bounded, and a displaced entry is erased completely") {
  Opened opened;
  MemoryCache& memory_cache = opened.memory_cache;
  std::vector<std::string> tokens;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    tokens.push_back("token" + std::to_string(i));
    memory_cache.put(0, tokens.back(), numbered_key(i), entry_of(tokens.back()));
  }
  std::size_t found = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto* const entry = memory_cache.find(0, tokens[i]);
    if (entry == nullptr) continue;
    ++found;
    CHECK(entry->key == numbered_key(i));
    CHECK(entry->entry.claims == tokens[i]);
  }
  CHECK(found <= 64);
  CHECK(found > 50);
  for (std::uint64_t i = 0; i < 1000; ++i) memory_cache.erase(numbered_key(i));
  CHECK(memory_cache.empty());
  for (const std::string& token : tokens) CHECK(memory_cache.find(0, token) == nullptr);
}

TEST_CASE("the second lookup of a token is recognized as a repeat") {
  Opened opened;
  MemoryCache& memory_cache = opened.memory_cache;
  CHECK_FALSE(memory_cache.asked_again(0, "token"));
  CHECK_FALSE(memory_cache.asked_again(1, "token"));
  CHECK_FALSE(memory_cache.asked_again(0, "other"));
  CHECK(memory_cache.asked_again(0, "token"));
  CHECK(memory_cache.asked_again(1, "token"));
  // The record is temporary: later lookups overwrite it, and none of many different tokens is taken
  // for a repeat.
  for (int i = 0; i < 10'000; ++i)
    CHECK_FALSE(memory_cache.asked_again(0, "t" + std::to_string(i)));
  CHECK_FALSE(memory_cache.asked_again(0, "token"));
}

TEST_CASE("with a capacity of zero nothing is kept in memory") {
  SeededRandom random(1);
  MemoryCache memory_cache(0, random);
  memory_cache.put(0, "token", numbered_key(1), entry_of("claims"));
  CHECK(memory_cache.find(0, "token") == nullptr);
  CHECK(memory_cache.empty());
}

TEST_CASE("an in-memory hit does not use the store") {
  ServiceHarness world;
  warm(world, "token");
  world.cache.find_fault.arm(0, SIZE_MAX);
  CHECK(world.query_now("token").answer.source == Source::kCache);
}

TEST_CASE("a token that was looked up once is not in memory yet") {
  ServiceHarness world;
  world.query_and_complete("token", status(200));
  CHECK(world.query_now("token").answer.source == Source::kCache);
  CHECK_FALSE(world.service->wait_time());  // no sweep is due
  world.query_and_complete("other", status(200));
  CHECK(world.query_now("other").answer.source == Source::kCache);
  CHECK_FALSE(world.service->wait_time());
  CHECK(world.query_now("token").answer.source == Source::kCache);
  CHECK(world.service->wait_time());
}

TEST_CASE("a 401 removes an in-memory entry") {
  ServiceHarness world;
  warm(world, "token");
  world.query_and_complete("token", status(401), {.max_age = 0s});
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
  world.advance(5s);
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("a 401 removes an in-memory entry even if the store fails") {
  ServiceHarness world;
  warm(world, "token");
  world.cache.erase_fault.arm(0, SIZE_MAX);
  world.query_and_complete("token", status(401), {.max_age = 0s});
  CHECK(world.query_now("token").answer.reason == Reason::kRejected);
}

TEST_CASE("a newer 200 replaces an in-memory entry") {
  ServiceHarness world;
  warm(world, "token");
  world.advance(1s);
  world.query_and_complete("token", status(200, R"({"id":"u","role":"less"})"), {.max_age = 0s});
  const RecordedAnswer answer = world.query_now("token");
  CHECK(answer.answer.age == 0s);
  CHECK(answer.claims.find("less") != std::string::npos);
}

TEST_CASE("a newer 200 that is not cached removes an in-memory entry") {
  for (const bool fails : {false, true}) {
    ServiceHarness world;
    warm(world, "token");
    if (fails) world.cache.put_fault.arm(0, 1);
    world.query_and_complete("token", fails ? status(200) : confirmed("no-store"), {.max_age = 0s});
    CHECK_FALSE(world.answered(world.query("token")));
  }
}

TEST_CASE("an entry evicted from the store is evicted from memory") {
  Policy policy = plain_policy();
  policy.max_entries = 1;
  ServiceHarness world(policy);
  warm(world, "token");
  world.query_and_complete("other", status(200));
  CHECK_FALSE(world.answered(world.query("token")));
}

TEST_CASE("an in-memory entry of one Auth API does not answer for another") {
  Policy policy = plain_policy();
  policy.upstreams.push_back(UpstreamPolicy{.name = "other"});
  ServiceHarness world(policy);
  warm(world, "token");
  CHECK_FALSE(world.answered(world.query("token", {.upstream = 1})));
}

TEST_CASE("max_age applies to in-memory entries") {
  ServiceHarness world;
  warm(world, "token");
  world.advance(10s);
  CHECK(world.query_now("token", {.max_age = 10s}).answer.age == 10s);
  CHECK_FALSE(world.answered(world.query("token", {.max_age = 10s - 1ns})));
}

TEST_CASE("a sweep is due every second until the in-memory cache is empty") {
  ServiceHarness world;
  CHECK_FALSE(world.service->wait_time());
  warm(world, "token");
  CHECK(world.service->wait_time() == 1s);
  world.advance(59s);
  CHECK(world.service->wait_time() == 1s);
  world.advance(1s);
  CHECK_FALSE(world.service->wait_time());
}

TEST_CASE("the wake-up time is the earlier of the next sweep and the next deadline") {
  ServiceHarness world;
  warm(world, "token");
  world.query("other", {.timeout = 10s});
  CHECK(world.service->wait_time() == 1s);
  world.query("another", {.timeout = 500ms});
  CHECK(world.service->wait_time() == 500ms);
}
