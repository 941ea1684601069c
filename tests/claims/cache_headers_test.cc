#include "daemon/claims/cache_headers.h"

#include <string>

#include "tests/support/catch.h"

using namespace claimsd::daemon;
using namespace std::chrono_literals;

namespace {

std::optional<seconds> lifetime(std::string_view cache_control, std::string_view age = "") {
  return read_cache_headers(cache_control, age).lifetime;
}

bool no_store(std::string_view cache_control) {
  return read_cache_headers(cache_control, "").no_store;
}

}  // namespace

constexpr WallTime kNow{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z

TEST_CASE("a response without a caching directive has no limit") {
  CHECK_FALSE(lifetime(""));
  CHECK_FALSE(lifetime("", "100"));
  CHECK_FALSE(lifetime("private, must-revalidate"));
  CHECK_FALSE(lifetime("s-maxage=5, x-max-age=7"));
  CHECK_FALSE(no_store(""));
  CHECK_FALSE(no_store("private, max-age=10"));
}

TEST_CASE("max-age is parsed in every form that RFC 9111 allows") {
  CHECK(lifetime("max-age=10") == 10s);
  CHECK(lifetime("Max-Age=10") == 10s);
  CHECK(lifetime("private,\tmax-age = 10 ,x") == 10s);
  CHECK(lifetime(",, ,max-age=10") == 10s);
  CHECK(lifetime("max-age=\"10\"") == 10s);
  CHECK(lifetime("max-age=0") == 0s);
  CHECK(lifetime("max-age=0010") == 10s);
}

TEST_CASE("a huge max-age is clamped and does not overflow") {
  CHECK(lifetime("max-age=2147483648") == 2147483648s);
  CHECK(lifetime("max-age=2147483649") == 2147483648s);
  CHECK(lifetime("max-age=18446744073709551616") == 2147483648s);
  CHECK(lifetime("max-age=99999999999999999999999999") == 2147483648s);
}

TEST_CASE("a malformed max-age counts as zero") {
  for (const char* const odd : {"max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=ten",
                                "max-age=\"", "max-age=\"\"", "max-age=10s", "max-age=+1"}) {
    INFO(odd);
    CHECK(lifetime(odd) == 0s);
  }
}

TEST_CASE("with several directives the stricter one wins") {
  CHECK(lifetime("max-age=10, max-age=5") == 5s);
  CHECK(lifetime("max-age=5, max-age=10") == 5s);
  CHECK(lifetime("max-age=10, no-cache") == 0s);
  CHECK(lifetime("no-cache, max-age=10") == 0s);
}

TEST_CASE("no-cache means a lifetime of zero, no-store means not cached") {
  CHECK(lifetime("no-cache") == 0s);
  CHECK(lifetime("No-Cache=\"Set-Cookie\"") == 0s);
  CHECK_FALSE(no_store("no-cache"));
  CHECK(no_store("no-store"));
  CHECK(no_store("max-age=10 , NO-STORE"));
  CHECK_FALSE(lifetime("no-store"));
  CHECK_FALSE(no_store("no-storey"));
}

TEST_CASE("Age is subtracted from max-age, down to zero") {
  CHECK(lifetime("max-age=10", "3") == 7s);
  CHECK(lifetime("max-age=10", " 3 ") == 7s);
  CHECK(lifetime("max-age=10", "10") == 0s);
  CHECK(lifetime("max-age=10", "11") == 0s);
  CHECK(lifetime("max-age=10", "99999999999999999999") == 0s);
  CHECK(lifetime("max-age=10", "3, 5") == 7s);
}

TEST_CASE("a malformed Age is ignored") {
  CHECK(lifetime("max-age=10", "old") == 10s);
  CHECK(lifetime("max-age=10", "-3") == 10s);
}

TEST_CASE("Retry-After in seconds is limited to one hour") {
  CHECK(read_retry_after("0", kNow) == 0s);
  CHECK(read_retry_after(" 120 ", kNow) == 120s);
  CHECK(read_retry_after("3600", kNow) == 3600s);
  CHECK(read_retry_after("3601", kNow) == 3600s);
  CHECK(read_retry_after("99999999999999999999", kNow) == 3600s);
}

TEST_CASE("a malformed Retry-After is ignored") {
  CHECK_FALSE(read_retry_after("", kNow));
  CHECK_FALSE(read_retry_after("-1", kNow));
  CHECK_FALSE(read_retry_after("1.5", kNow));
}

TEST_CASE("Retry-After is parsed in all three date formats") {
  CHECK(read_retry_after("Thu, 01 Jan 2026 00:01:30 GMT", kNow) == 90s);
  CHECK(read_retry_after("Fri, 31 Dec 2027 23:59:59 GMT", kNow) == 3600s);
  // The two obsolete formats (RFC 9110 section 5.6.7).
  CHECK(read_retry_after("Thursday, 01-Jan-26 00:01:30 GMT", kNow) == 90s);
  CHECK(read_retry_after("Thu Jan  1 00:01:30 2026", kNow) == 90s);
  CHECK(read_retry_after("Wed Feb 11 00:01:30 2026", kNow) == 3600s);
  // Two-digit years: within the next 50 years, otherwise in the past.
  CHECK(read_retry_after("Wednesday, 01-Jan-76 00:00:00 GMT", kNow) == 3600s);
  CHECK(read_retry_after("Saturday, 01-Jan-77 00:00:00 GMT", kNow) == 0s);
  CHECK(read_retry_after("Wed, 31 Dec 2025 23:59:59 GMT", kNow) == 0s);
  for (const auto* const bad :
       {"Thu, 01 Foo 2026 00:01:30 GMT", "Thu, 31 Feb 2026 00:01:30 GMT",
        "Thu, 01 Jan 2026 24:01:30 GMT", "Thu, 01 Jan 2026 00:01:30 CET",
        "Thu, 01 anF 2026 00:01:30 GMT", "Thu, 0x Jan 2026 00:01:30 GMT",
        "Thu, 01 Jan -026 00:01:30 GMT", "Thu, 1 Jan 2026 00:01:30 GMT",
        "Thursday, 01-Jan-2026 00:01:30 GMT", "Thursday, 01-Jan-26 00:01:30",
        "Thu Jan 1 00:01:30 2026", "Thu Jan  1 00:01:30 2026 GMT", "Thu Jan  1 00:01:30 26",
        "Thu Jan", ","}) {
    INFO(bad);
    CHECK_FALSE(read_retry_after(bad, kNow));
  }
}

TEST_CASE("Vary: * prevents caching, other values do not") {
  CHECK(read_cache_headers("max-age=60", "", "*").no_store);
  CHECK(read_cache_headers("max-age=60", "", "Accept, *").no_store);
  CHECK_FALSE(read_cache_headers("max-age=60", "", "Accept, Cookie, Origin").no_store);
}
