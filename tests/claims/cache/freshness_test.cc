#include "daemon/claims/cache/freshness.h"

#include <set>

#include "tests/support/catch.h"
#include "tests/support/fake_world.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace std::chrono_literals;

namespace {

constexpr TtlPolicy kPlain{.max_ttl = 60s, .clock_skew = 30s, .jitter_percent = 0};
constexpr BootTime kStart{1000s};
constexpr Now kAtStart{kStart, WallTime(1'000'000s)};

Duration ttl_of(const CacheHeaders& headers, const TtlPolicy& policy = kPlain) {
  testing::SeededRandom random(1);
  return expires_at(kStart, headers, policy, random) - kStart;
}

Entry entry_of(Duration ttl, WallTime expires_at = WallTime::max()) {
  return Entry{.confirmed_at = kStart, .fresh_until = kStart + ttl, .expires_at = expires_at};
}

Now later(Duration boot, Duration wall) {
  return Now{kAtStart.boot + boot, kAtStart.wall + wall};
}
Now later(Duration both) {
  return later(both, both);
}

}  // namespace

TEST_CASE("a TTL is the smaller of max_ttl and the header lifetime") {
  CHECK(ttl_of({}) == 60s);
  CHECK(ttl_of({.no_store = false, .lifetime = 10s}) == 10s);
  CHECK(ttl_of({.no_store = false, .lifetime = 0s}) == 0s);
  CHECK(ttl_of({.no_store = false, .lifetime = 61s}) == 60s);
  CHECK(ttl_of({.no_store = false, .lifetime = seconds(std::int64_t{1} << 31)}) == 60s);
}

TEST_CASE("jitter shortens a TTL by anything up to its percentage") {
  TtlPolicy policy = kPlain;
  policy.jitter_percent = 10;
  testing::SeededRandom random(7);
  Duration shortest = Duration::max();
  Duration longest{};
  for (int i = 0; i < 10'000; ++i) {
    const Duration ttl = expires_at(kStart, {}, policy, random) - kStart;
    shortest = std::min(shortest, ttl);
    longest = std::max(longest, ttl);
  }
  CHECK(longest <= 60s);
  CHECK(longest > 59900ms);
  CHECK(shortest >= 54s);
  CHECK(shortest < 54100ms);
}

TEST_CASE("jitter applies to the TTL as limited by the headers") {
  TtlPolicy policy = kPlain;
  policy.jitter_percent = 50;
  testing::SeededRandom random(7);
  for (int i = 0; i < 1000; ++i) {
    const Duration ttl =
        expires_at(kStart, {.no_store = false, .lifetime = 10s}, policy, random) - kStart;
    CHECK(ttl >= 5s);
    CHECK(ttl <= 10s);
  }
}

TEST_CASE("a TTL expires on the boot clock, whatever the wall clock shows") {
  const Entry entry = entry_of(60s);
  CHECK(ttl_remaining(entry, later(0s), kPlain) == 60s);
  CHECK(ttl_remaining(entry, later(59s, -1000h), kPlain) == 1s);
  CHECK(ttl_remaining(entry, later(59s, 1000h), kPlain) == 1s);
  CHECK(is_fresh(entry, later(60s - 1ns), kPlain, std::nullopt));
  CHECK_FALSE(is_fresh(entry, later(60s), kPlain, std::nullopt));
  CHECK_FALSE(is_fresh(entry, later(1000h, 0s), kPlain, std::nullopt));
}

TEST_CASE("a token expires on the wall clock, one clock skew before its exp") {
  const Entry entry = entry_of(60s, kAtStart.wall + 50s);
  CHECK(ttl_remaining(entry, later(0s), kPlain) == 20s);
  CHECK(is_fresh(entry, later(20s - 1ns), kPlain, std::nullopt));
  CHECK_FALSE(is_fresh(entry, later(20s), kPlain, std::nullopt));
  // The wall clock steps forward, then back.
  CHECK_FALSE(is_fresh(entry, later(1s, 20s), kPlain, std::nullopt));
  CHECK(ttl_remaining(entry, later(59s, -1000s), kPlain) == 1s);
}

TEST_CASE("an exp at either end of the range does not overflow") {
  CHECK(ttl_remaining(entry_of(60s, WallTime::max()), later(0s), kPlain) == 60s);
  CHECK(ttl_remaining(entry_of(60s, WallTime::max() - 1ns), later(0s), kPlain) == 60s);
  CHECK(ttl_remaining(entry_of(60s, WallTime::min()), later(0s), kPlain) <= 0s);
  CHECK(ttl_remaining(entry_of(60s, WallTime(0s)), later(0s), kPlain) <= 0s);
}

TEST_CASE("a shorter max_ttl also limits an older entry") {
  TtlPolicy shorter = kPlain;
  shorter.max_ttl = 2s;
  const Entry entry = entry_of(60s);
  CHECK(ttl_remaining(entry, later(0s), shorter) == 2s);
  CHECK_FALSE(is_fresh(entry, later(2s), shorter, std::nullopt));
}

TEST_CASE("a confirmation from the future is not used") {
  CHECK_FALSE(is_fresh(entry_of(60s), later(-1ns), kPlain, std::nullopt));
  CHECK_FALSE(is_fresh(entry_of(60s), later(-1ns), kPlain, 10s));
}

TEST_CASE("max_age accepts a confirmation of exactly that age and none older") {
  const Entry entry = entry_of(60s);
  CHECK(is_fresh(entry, later(10s), kPlain, 10s));
  CHECK_FALSE(is_fresh(entry, later(10s + 1ns), kPlain, 10s));
  CHECK(is_fresh(entry, later(59s), kPlain, 1000h));
  CHECK_FALSE(is_fresh(entry, later(60s), kPlain, 1000h));
  CHECK_FALSE(is_fresh(entry, later(0s), kPlain, 0s));
}

TEST_CASE("a token has expired once its exp is past by more than the clock skew") {
  const WallTime exp = kAtStart.wall;
  CHECK_FALSE(has_expired(exp, later(0s), kPlain));
  CHECK_FALSE(has_expired(exp, later(30s), kPlain));
  CHECK(has_expired(exp, later(30s + 1ns), kPlain));
  CHECK_FALSE(has_expired(WallTime::max(), later(1000h), kPlain));
  CHECK(has_expired(WallTime::min(), later(0s), kPlain));
  CHECK(has_expired(WallTime(0s), later(0s), kPlain));
}
