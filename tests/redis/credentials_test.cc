#include "daemon/redis/credentials.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/scratch_directory.h"

namespace claimsd::redis {
namespace {

std::string written(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

TEST_CASE("the password is the only line of its file") {
  const testing::ScratchDirectory directory;
  const std::string file = directory.path() + "/password";
  const auto read = [&](const std::string& text) {
    return read_credentials({.password_file = written(file, text)});
  };
  CHECK(read("secret\n").value().password.view() == "secret");
  CHECK(read("with spaces\r\n").value().password.view() == "with spaces");
  for (const std::string text : {"", "\n", "two\nlines\n"}) {
    INFO(text);
    const auto refused = read(text);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("fleet.password_file") != std::string::npos);
    CHECK(refused.error().message.find("lines") == std::string::npos);
  }
}

TEST_CASE("the error about a missing file names the option and the file") {
  const auto refused = read_credentials({.ca_file = "/nonexistent/ca.pem"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        "fleet.ca_file: cannot read /nonexistent/ca.pem: No such file or directory");
}

}  // namespace
}  // namespace claimsd::redis
