#include "daemon/claims/parse/cache_headers.h"

#include <string>

#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::claims;
using namespace std::chrono_literals;

namespace {

std::optional<seconds> lifetime(std::string_view cache_control, std::string_view age = "") {
  return read_cache_headers(cache_control, age).lifetime;
}

bool no_store(std::string_view cache_control) {
  return read_cache_headers(cache_control, "").no_store;
}

}  // namespace

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

TEST_CASE("Vary: * is not kept; what else it names changes nothing") {
  CHECK(read_cache_headers("max-age=60", "", "*").no_store);
  CHECK(read_cache_headers("max-age=60", "", "Accept, *").no_store);
  CHECK_FALSE(read_cache_headers("max-age=60", "", "Accept, Cookie, Origin").no_store);
}
