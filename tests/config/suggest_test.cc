#include "daemon/config/suggest.h"

#include <array>
#include <string>

#include "tests/support/catch.h"

using namespace claimsd;
using namespace claimsd::config;

namespace {
constexpr std::array<std::string_view, 4> kWords{"socket", "socket_mode", "max_connections", "url"};
}  // namespace

TEST_CASE("a typo finds its word") {
  CHECK(nearest("sokcet", kWords) == "socket");
  CHECK(nearest("soket", kWords) == "socket");
  CHECK(nearest("socketmode", kWords) == "socket_mode");
  CHECK(nearest("max_conections", kWords) == "max_connections");
  CHECK(nearest("ulr", kWords) == "url");
}

TEST_CASE("an unrelated word finds nothing") {
  CHECK_FALSE(nearest("timeout", kWords));
  CHECK_FALSE(nearest("x", std::array<std::string_view, 1>{"url"}));
  CHECK_FALSE(nearest("", kWords));
  CHECK_FALSE(nearest(std::string(100'000, 's'), kWords));
}
