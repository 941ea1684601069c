#include "daemon/redis/command.h"

#include "tests/support/catch.h"

namespace claimsd::redis {
namespace {

using namespace std::string_view_literals;

TEST_CASE("an argument may hold any bytes") {
  CHECK(format_command({"SET", "a\r\nb"sv, "\0"sv, ""}) ==
        "*4\r\n$3\r\nSET\r\n$4\r\na\r\nb\r\n$1\r\n\0\r\n$0\r\n\r\n"sv);
}

TEST_CASE("AUTH names the user, if there is one") {
  CHECK(format_auth("claimsd", Secret("pw"sv)).view() ==
        "*3\r\n$4\r\nAUTH\r\n$7\r\nclaimsd\r\n$2\r\npw\r\n");
  CHECK(format_auth("", Secret("pw"sv)).view() == "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n");
}

}  // namespace
}  // namespace claimsd::redis
