#include "daemon/redis/endpoint.h"

#include "tests/support/catch.h"

namespace claimsd::redis {
namespace {

TEST_CASE("a URL without a port uses the default port") {
  CHECK(endpoint_of("rediss://Redis-1", 6379).value() == Endpoint{"redis-1", 6379, true});
  CHECK(endpoint_of("redis://[::1]:7000/", 6379).value() == Endpoint{"::1", 7000, false});
}

TEST_CASE("messages show host and port") {
  CHECK(Endpoint{"redis-1", 6379, true}.text() == "redis-1:6379");
  CHECK(Endpoint{"::1", 7000, false}.text() == "[::1]:7000");
}

}  // namespace
}  // namespace claimsd::redis
